"""Markdown: sections at ATX (`# A`) and setext (underlined) headings. The stored text is the file itself.

Fenced code, indented code, HTML comments and YAML front matter are not searched for headings. Of CommonMark's setext
rules only the one-line heading is followed: a paragraph with a rule below it is more often meant than a long heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.sources.headings import sections_at
from engine.sources.types import Section

_LONGEST_HEADING = 400
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_CLOSING = re.compile(r"(?:^|[ \t])#+$")
_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})(.*)$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_NOT_PARAGRAPH = re.compile(r"(?: {4}|\t| {0,3}(?:[-+*>|]|\d+[.)][ \t]))")
_INLINE = (
    (re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)"), r"\1"),
    (re.compile(r"\s*\{[#.:][^{}]*\}$"), ""),
    (re.compile(r"`+|\*\*|__|<[^<>]*>"), ""),
)


def markdown_sections(text: str) -> list[Section]:
    """Sections with title paths such as ("Install", "On Linux"), covering the text."""
    return sections_at(_headings(text), len(text))


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    fence = ""
    comment = False
    previous: tuple[int, str] | None = None  # the line before, when it may be a heading to be underlined
    alone = True  # whether that line starts its paragraph
    for start, line in _lines(text, _front_matter_end(text)):
        if fence:
            if (close := _FENCE.match(line)) and close[1].startswith(fence) and not close[2].strip():
                fence = ""
            continue
        if comment:
            comment = "-->" not in line
            continue
        stripped = line.strip(" \t\ufeff")
        if not stripped:
            previous, alone = None, True
            continue
        if (opening := _FENCE.match(line)) and not (opening[1][0] == "`" and "`" in opening[2]):
            fence = opening[1]
        elif stripped.startswith("<!--") and "-->" not in stripped:
            comment = True
        elif atx := _ATX.match(line.lstrip("\ufeff")):
            yield start, len(atx[1]), _plain(_CLOSING.sub("", (atx[2] or "").rstrip()))
        elif previous and alone and _UNDERLINE.match(line):
            yield previous[0], 1 if stripped[0] == "=" else 2, _plain(previous[1])
        elif _NOT_PARAGRAPH.match(line):
            previous, alone = None, False
            continue
        else:
            previous, alone = (start, stripped), previous is None and alone
            continue
        previous, alone = None, True


def _lines(text: str, start: int) -> Iterator[tuple[int, str]]:
    for match in _LINE.finditer(text, start):
        yield match.start(), match[0].rstrip("\r\n")


def _front_matter_end(text: str) -> int:
    """Where the text starts after a YAML block between `---` lines at the very top."""
    top = re.match(r"\ufeff?---[ \t]*\r?\n", text)
    end = top and re.compile(r"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE).search(text, top.end())
    return end.end() if end else 0


def _plain(title: str) -> str:
    """A heading without its inline markup."""
    title = title[:_LONGEST_HEADING]
    for pattern, instead in _INLINE:
        title = pattern.sub(instead, title)
    return title.strip()
