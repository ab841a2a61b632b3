"""Jupyter notebooks to text that keeps one output line for each line of the file: what cells say and print, nothing else.

Line n of the text is line n of the file, so that a citation's line numbers can be opened in the file itself. A notebook
is written with a line of JSON for each line of a cell; pictures, which can be most of the file, become blank lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from engine.sources.decode import storable
from engine.sources.markdown import markdown_sections
from engine.sources.types import Section

_TYPE = re.compile(r'\s*"cell_type": *"(\w+)"')
# "input" is what "source" was called until version 4.
_SAID = re.compile(r'\s*"(?P<key>source|input|text|text/plain|text/markdown)": *(?P<rest>[\["].*)')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def notebook_text(written: str) -> tuple[str, list[Section]] | None:
    """(text, sections at the headings of its Markdown cells); None where the file is no notebook, or says nothing line by line."""
    try:
        notebook = json.loads(written)
    except (ValueError, RecursionError):
        return None
    if not isinstance(notebook, dict) or not ("cells" in notebook or "worksheets" in notebook):
        return None
    said = list(_lines(written))
    text = "\n".join(line for line, _ in said)
    # Only prose has headings: a comment in code begins like one.
    prose = "\n".join(line if markdown else " " * len(line) for line, markdown in said)
    return (text, markdown_sections(prose)) if text.strip() else None


def _lines(written: str) -> Iterator[tuple[str, bool]]:
    """For each line of the file what a cell says in it, and whether that is Markdown."""
    cell, key, inside = "", "", False
    for line in re.split(r"\r\n?|\n", written):
        if not inside:
            if found := _TYPE.match(line):
                cell = found[1]
            elif found := _SAID.match(line):
                key, line = found["key"], found["rest"]
                inside = line.startswith("[") and not _STRING.sub("", line).rstrip(" ,").endswith("]")
                yield _said(line), cell == "markdown" and key == "source"
                continue
            yield "", False
        elif line.strip().startswith("]"):
            inside = False
            yield "", False
        else:
            yield _said(line), cell == "markdown" and key == "source"


def _said(line: str) -> str:
    """The strings of a line of JSON, on one line."""
    try:
        told = "".join(json.loads(found[0], strict=False) for found in _STRING.finditer(line))
    except ValueError:
        return ""
    return " ".join(storable(told).splitlines())
