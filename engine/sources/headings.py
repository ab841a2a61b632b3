"""From headings to sections: each runs from its heading to the next one."""

from __future__ import annotations

from collections.abc import Iterable

from engine.sources.titles import TitlePath, clean_title
from engine.sources.types import Section


def sections_at(headings: Iterable[tuple[int, int, str]], length: int) -> list[Section]:
    """Sections covering `[0, length)` from (start, level, title) in order; what stands before the first has no title."""
    path = TitlePath()
    sections: list[Section] = []
    start, title = 0, ()
    for heading, level, name in headings:
        if heading > start:
            sections.append(Section(start, heading, title))
        start, title = heading, path.enter(level, clean_title(name))
    if length > start:
        sections.append(Section(start, length, title))
    return sections
