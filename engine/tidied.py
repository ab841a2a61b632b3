"""What the model points at -> readings that can be an answer: tidy ends, names in code resolved, the impossible left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from engine.answer_type import asks_for_variable, asks_for_version, fits, impossible, is_version
from engine.assigned import constants, value_of
from engine.kinship import of_both_parents
from engine.model.interface import Context, Evidence, Reading
from engine.model.tables import table_cells
from engine.tidy import tidy

# "2.31.0 (2023-05-22)", "Version 3.1", "What's new in Lamps 5.0 - 2020-09-24"; not "7.1 Reports".
_VERSION = re.compile(r"\W*(?:[\w'.-]+\s+){0,5}?v?(\d+\.\d+(?:\.\w+)*(?:(?:a|b|rc)\d+)?)(?=\W*$|\s*\(|\s*[-–—:,]+\s*\(?\d)")
HEADING_REACH = 120
"""Characters of a section in which its heading is."""
LONGEST_NAME = 5
"""Words of a table's cell that may be one name."""


def tidied(
    readings: list[Reading],
    context: Context,
    of_one_source: Callable[[Evidence], list[Evidence]],
    heading: Callable[[Evidence], Evidence],
) -> list[tuple[Context, Reading]]:
    """Readings of one context, best first, each with its context; where two become one, the better.

    `of_one_source` gives what else is known of the source of a piece of code, `heading` what begins a piece's section.
    """
    kept: dict[tuple[str, int, int, int], tuple[Context, Reading]] = {}
    for reading in readings:
        text = context.evidence[reading.piece].text
        start, end = _whole_name(context.evidence[reading.piece], *tidy(text, reading.start, reading.end))
        if reading.kind == "span" and (one := of_both_parents(context.question, text[start:end])):
            start, end = start + one[0], start + one[1]
        whole, read = context, replace(reading, start=start, end=end)
        if reading.kind == "span":
            whole, read = _given(context, read, of_one_source)
            if asks_for_version(context.question) and not is_version(text[start:end]):
                whole, read = _under(whole, read, heading)
        piece = whole.evidence[read.piece]
        if reading.kind != "span" or not impossible(context.question, piece.text, read.start, read.end):
            kept.setdefault((read.kind, piece.document, read.start, read.end), (whole, read))
    return list(kept.values())


def _whole_name(piece: Evidence, start: int, end: int) -> tuple[int, int]:
    """Words of a cell that is nothing but a name are the name: who asks for a post wants "Bergen Office Manager"."""
    for first, last in table_cells(piece.text, piece.separator):
        if first <= start and end <= last and (last - first > end - start):
            words = piece.text[first:last].split()
            return (first, last) if len(words) <= LONGEST_NAME and all(word[0].isupper() for word in words) else (start, end)
    return start, end


def version_of(title: str) -> str:
    """The version that a section is about by its own heading, the last of its title; empty where there is none."""
    version = _VERSION.match(title.rpartition(">")[2])
    return version[1] if version else ""


def _under(context: Context, reading: Reading, heading: Callable[[Evidence], Evidence]) -> tuple[Context, Reading]:
    """What stands under a version's heading came with that version, which is the answer then."""
    piece = context.evidence[reading.piece]
    version = version_of(piece.title)
    if not version:
        return context, reading
    first = heading(piece)
    at = first.text.find(version, 0, HEADING_REACH)
    if at < 0:
        return context, reading
    evidence = context.evidence if first is piece else (*context.evidence, first)
    place = reading.piece if first is piece else len(context.evidence)
    read_off = (reading.piece, reading.start, reading.end)
    return replace(context, evidence=evidence), replace(reading, piece=place, start=at, end=at + len(version), read_off=read_off)


def _given(
    context: Context, reading: Reading, of_one_source: Callable[[Evidence], list[Evidence]]
) -> tuple[Context, Reading]:
    """A name in code that is no answer itself stands for the literal it is given, there or elsewhere in its source."""
    piece = context.evidence[reading.piece]
    if not piece.code:
        return context, reading
    answer = piece.text[reading.start : reading.end]
    names = constants(answer) if asks_for_variable(context.question) else [answer] if fits(context.question, answer) < 0 else []
    for other in (piece, *of_one_source(piece)) if names else ():
        at = next((found for name in names if (found := value_of(name, other.text))), None)
        if at is None:
            continue
        evidence = context.evidence if other is piece else (*context.evidence, other)
        place = reading.piece if other is piece else len(context.evidence)
        return replace(context, evidence=evidence), replace(reading, piece=place, start=at[0], end=at[1])
    return context, reading
