"""Titles as they are shown: one line, of a sensible length."""

from __future__ import annotations

LONGEST_TITLE = 120


def clean_title(title: str) -> str:
    """The title with its white space collapsed, cut at a word to at most 120 characters."""
    title = " ".join(title.replace("\ufeff", "").split())
    if len(title) <= LONGEST_TITLE:
        return title
    head = title[:LONGEST_TITLE]
    return head[: head.rfind(" ")] if " " in head[LONGEST_TITLE // 2 :] else head


class TitlePath:
    """The headings above the current place: `enter` a heading of a level, get its whole path."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> tuple[str, ...]:
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, title))
        return tuple(name for _, name in self._open if name)
