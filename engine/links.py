"""Whether pieces of evidence hang together: the question names one, and that one names the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model.interface import Evidence

LEAST_NAME = 3
"""Characters of a title from which it is taken for a name."""
_WORD = re.compile(r"\w+")
_BRACKETED = re.compile(r"\s*\([^)]*\)$")


def chained(question: str, evidence: Sequence[Evidence], piece: int) -> bool:
    """Whether the question does not name `evidence[piece]`, but leads to it: it names a piece that names this one, or that
    names another piece that does, and so on."""
    subjects = [_subject(e.title) for e in evidence]
    asked = _spaced(question)
    reached = {i for i, subject in enumerate(subjects) if _asks_for(asked, subject)}
    if piece in reached:
        return False
    texts = [_spaced(e.text) for e in evidence]
    while piece not in reached:
        found = {i for i, subject in enumerate(subjects) if i not in reached and any(_names(texts[j], subject) for j in reached)}
        if not found:
            return False
        reached |= found
    return True


def passes_by(question: str, evidence: Sequence[Evidence], read: Iterable[Evidence]) -> bool:
    """Whether the question names something of what was `read`, and this evidence holds nothing that it names."""
    asked = _spaced(question)

    def is_named(e: Evidence) -> bool:
        return _asks_for(asked, _subject(e.title))

    return not any(map(is_named, evidence)) and any(map(is_named, read))


def named(question: str, evidence: Sequence[Evidence], titles: Sequence[str]) -> list[bool]:
    """Of each title, whether the evidence names what it is about, which the question does not."""
    asked, said = _spaced(question), "".join(_spaced(e.text) for e in evidence)
    return [_names(said, subject) and not _asks_for(asked, subject) for subject in map(_subject, titles)]


def _names(text: str, subject: str) -> bool:
    """Whether a text names a subject, letter for letter: "Leave" is a heading, "leave" a word."""
    return len(subject) >= LEAST_NAME and not subject.islower() and f" {subject} " in text


def _asks_for(question: str, subject: str) -> bool:
    """The same of a question, where several words may be written small."""
    return _names(question, subject) or (" " in subject and f" {subject.lower()} " in question.lower())


def _subject(title: str) -> str:
    """What a title is about: its last heading, without what distinguishes it in brackets."""
    return _spaced(_BRACKETED.sub("", title.rsplit(" > ", 1)[-1])).strip()


def _spaced(text: str) -> str:
    return f" {' '.join(_WORD.findall(text))} "
