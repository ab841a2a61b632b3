"""Plain text: paragraphs, separated by blank lines; pages."""

from __future__ import annotations

import re

from engine.sources.types import Section

# Atomic and possessive: "\r\n" is never taken for two line ends, and long runs of blank lines stay linear.
BLANK_LINES = re.compile(r"(?>\r\n?|\n)(?>[ \t\f\v]*+(?>\r\n?|\n))++")


def paragraphs(text: str, title: tuple[str, ...] = ()) -> list[Section]:
    """One section per paragraph, all with the same title path."""
    sections = []
    start = 0
    for gap in BLANK_LINES.finditer(text):
        if gap.start() > start:
            sections.append(Section(start, gap.start(), title))
        start = gap.end()
    if start < len(text):
        sections.append(Section(start, len(text), title))
    return sections


def page_sections(text: str, starts: list[int]) -> list[Section]:
    """One section per page that has text; `starts` are the characters where pages start."""
    ends = [*starts[1:], len(text)]
    return [
        Section(start, end, (f"page {number}",))
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
        if end > start
    ]
