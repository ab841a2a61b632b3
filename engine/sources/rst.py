"""reStructuredText: sections at underlined (and overlined) headings, levels by the order in which styles appear."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.sources.headings import sections_at
from engine.sources.types import Section

_RULE = re.compile(r"([!-/:-@\[-`{-~])\1+$")
_LONGEST_HEADING = 400
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_ROLE = re.compile(r":[\w:.+-]+:`([^`<]*)(?:<[^`]*)?`|`+")


def rst_sections(text: str) -> list[Section]:
    """Sections with title paths, covering the text."""
    return sections_at(_headings(text), len(text))


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    levels: dict[tuple[str, bool], int] = {}
    # The two lines before the current one: a heading needs a blank line, or its own overline, above its title.
    above, title = (0, ""), (0, "")
    for match in _LINE.finditer(text):
        line = match[0].rstrip().lstrip("\ufeff")
        name = title[1].strip()
        if name and len(name) <= _LONGEST_HEADING and _RULE.match(line) and not _RULE.match(title[1]) and len(line) >= min(len(title[1].rstrip()), 4):
            overlined = above[1] == line
            if overlined or (not above[1].strip() and not title[1][0].isspace()):
                level = levels.setdefault((line[0], overlined), len(levels) + 1)
                yield (above if overlined else title)[0], level, _ROLE.sub(lambda m: m[1] or "", name)
                line = ""
        above, title = title, (match.start(), line)
