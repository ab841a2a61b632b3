"""Whether pieces of evidence hang together: the question names one, and that one names the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model.interface import Evidence

LEAST_NAME = 4
"""Characters of a title from which it is taken for a name."""
_WORD = re.compile(r"\w+")
_BRACKETED = re.compile(r"\s*\([^)]*\)$")


def chained(question: str, evidence: Sequence[Evidence], piece: int) -> bool:
    """Whether `evidence[piece]`, which the question does not name, is named in the text of another piece that it does name."""
    subjects = [_subject(e.title) for e in evidence]
    asked = _folded(question)
    if len(subjects[piece]) < LEAST_NAME or f" {subjects[piece]} " in asked:
        return False
    return any(
        i != piece and len(subjects[i]) >= LEAST_NAME and f" {subjects[i]} " in asked and f" {subjects[piece]} " in _folded(e.text)
        for i, e in enumerate(evidence)
    )


def passes_by(question: str, evidence: Sequence[Evidence], read: Iterable[Evidence]) -> bool:
    """Whether the question names something of what was `read`, and this evidence holds nothing that it names."""
    asked = _folded(question)

    def is_named(e: Evidence) -> bool:
        subject = _subject(e.title)
        return len(subject) >= LEAST_NAME and f" {subject} " in asked

    return not any(map(is_named, evidence)) and any(map(is_named, read))


def named(question: str, evidence: Sequence[Evidence], titles: Sequence[str]) -> list[bool]:
    """Of each title, whether the evidence names what it is about, which the question does not."""
    asked, said = _folded(question), "".join(_folded(e.text) for e in evidence)
    subjects = [_subject(title) for title in titles]
    return [len(s) >= LEAST_NAME and f" {s} " in said and f" {s} " not in asked for s in subjects]


def _subject(title: str) -> str:
    """What a title is about: its last heading, without what distinguishes it in brackets."""
    return _folded(_BRACKETED.sub("", title.rsplit(" > ", 1)[-1])).strip()


def _folded(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.lower()))} "
