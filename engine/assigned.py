"""In code a name stands for its value: `retries: int = 4` answers how many retries there are."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z_]\w*")
_LITERAL = r"(-?\d[\d_.]*(?:e-?\d+)?|\"[^\"\n]+\"|'[^'\n]+')"
MARKS = "\"'"


def value_of(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where in `text` the literal stands that the name text[start:end] is given; None where that is no name or gets none."""
    name = text[start:end]
    if not _NAME.fullmatch(name):
        return None
    given = re.search(rf"(?<![\w.]){name}\s*(?::[^=\n(){{}}]+)?(?:=|:=|\s=)\s*{_LITERAL}(?![\w.])", text)
    if not given:
        return None
    first, last = given.span(1)
    return (first + 1, last - 1) if text[first] in MARKS else (first, last)
