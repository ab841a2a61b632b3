"""In code a name stands for its value: `retries: int = 4` answers how many retries there are."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z_]\w*")
_LITERAL = r"(-?\d[\d_.]*(?:e-?\d+)?|\"[^\"\n]+\"|'[^'\n]+')"
_CONSTANT = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b")
MARKS = "\"'"


def value_of(name: str, text: str) -> tuple[int, int] | None:
    """Where in `text` the literal stands that a name is given; None where it is no name or gets none."""
    if not _NAME.fullmatch(name):
        return None
    given = re.search(rf"(?<![\w.]){name}\s*(?::[^=\n(){{}}]+)?(?:=|:=|\s=)\s*{_LITERAL}(?![\w.])", text)
    if not given:
        return None
    first, last = given.span(1)
    return (first + 1, last - 1) if text[first] in MARKS else (first, last)


def constants(text: str) -> list[str]:
    """Names of constants in a piece of code, in order."""
    return list(dict.fromkeys(_CONSTANT.findall(text)))
