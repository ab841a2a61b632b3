"""From a reading to a citation: exact source offsets, a quote of whole sentences, checked against the stored text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.model.tables import tables
from engine.results import Citation
from engine.store import page_of

if TYPE_CHECKING:
    from engine.store import DocumentRow, Store

MAX_QUOTE = 320
LINE_KINDS = frozenset({"code", "csv", "notebook"})
"""Kinds of sources that are quoted by lines."""
_BREAK = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])|\n\s*\n|\r?\n(?=\s*(?:[-*#|>]|\d+[.)]\s))")
_LINE = re.compile(r"\r?\n")
_WORD = re.compile(r"\w+")


def sentence_spans(text: str, *, by_line: bool = False) -> list[tuple[int, int]]:
    """Sentences of `text` as trimmed spans, in order; lines instead where the text is code or a table."""
    spans = []
    begin = 0
    for found in (_LINE if by_line else _BREAK).finditer(text):
        spans.append((begin, found.start()))
        begin = found.end()
    spans.append((begin, len(text)))
    trimmed = ((a + len(text[a:b]) - len(text[a:b].lstrip()), a + len(text[a:b].rstrip())) for a, b in spans)
    return [(a, b) for a, b in trimmed if a < b]


def quote_span(text: str, start: int, end: int, *, by_line: bool = False) -> tuple[int, int]:
    """The sentence or sentences around [start, end), or the row of a table; cut to MAX_QUOTE characters at blanks when they
    are longer."""
    touched = [(a, b) for a, b in sentence_spans(text, by_line=by_line) if b > start and a < end]
    if not touched:
        return start, end
    if "|" in text and not by_line:
        rows = ((row[0][0], row[-1][1]) for table in tables(text) for row in table.rows)
        touched += (row for row in rows if row[0] <= start and end <= row[1])
    a, b = min(start, *(a for a, _ in touched)), max(end, *(b for _, b in touched))
    if b - a <= MAX_QUOTE or b - a <= end - start:
        return a, b
    spare = max(0, MAX_QUOTE - (end - start)) // 2
    left = a if start - spare <= a else text.find(" ", start - spare, start) + 1 or start
    right = b if end + spare >= b else text.rfind(" ", end, end + spare)
    return left, right if right >= end else end


def best_sentence(text: str, wanted: str, *, by_line: bool = False) -> tuple[int, int]:
    """The sentence that shares most distinct words with `wanted`: what an evidence document is quoted for."""
    words = {w.lower() for w in _WORD.findall(wanted) if len(w) > 2}
    spans = sentence_spans(text, by_line=by_line)

    def overlap(span: tuple[int, int]) -> tuple[int, int]:
        found = {w.lower() for w in _WORD.findall(text[span[0] : span[1]])}
        return len(words & found), -span[0]

    a, b = max(spans, key=overlap)
    return (a, b) if b - a <= MAX_QUOTE else quote_span(text, a, a + 1, by_line=by_line)


def cite(store: Store, row: DocumentRow, start: int, quote: str) -> Citation | None:
    """The citation of `quote` at character `start` of the row's source, or None when the stored text does not say so."""
    end = start + len(quote)
    if not quote or store.text(row.source_id, start, end) != quote:
        return None
    page = page_of(row, start)
    lines = store.line_range(row.source_id, start, end) if page is None else None
    return Citation(row.source, row.record, page, lines, start, end, quote)
