"""Breaking a text into pieces that fit, at the most natural boundaries there are, and packing pieces together.

A span that is too long is broken at page starts, then at blank lines, lines, sentences, words and, for a single word
that is too long by itself, inside it. Only what is too long is broken further, and the token counter sees all pieces of
one round together. A piece begins with the white space before it, so that counts add up as they would in one text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from engine.sources.text import BLANK_LINES

Counter = Callable[[list[str]], list[int]]

# What kind of boundary a piece begins at, most natural first. Nothing is packed across a HARD one.
HARD, SECTION, PAGE, PARAGRAPH, LINE, SENTENCE, WORD, INSIDE = range(8)

_BOUNDARIES = {
    PARAGRAPH: BLANK_LINES,
    LINE: re.compile(r"[\r\n]++"),
    SENTENCE: re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"'”’)\]]))(?=\s)|(?<=[。！？])(?![。！？」』）”’])"),
    WORD: re.compile(r"(?<=\S)(?=\s)"),
}
# No token is longer on average, so that a longer text is broken without counting it first.
_CHARACTERS_PER_TOKEN = 16
_LONGEST_WORD = 100_000
_BATCH_CHARACTERS = 1 << 20
_LONGEST_BLANK = 1_000
# A document is filled at least so far before a more natural boundary is preferred to a fuller document.
_FILLED = 0.6
_TOO_LONG = 1 << 60


class Piece(NamedTuple):
    """`text[start:end]`, the boundary it begins at, its tokens, and which of the caller's blocks it belongs to."""

    start: int
    end: int
    level: int
    tokens: int
    block: int


def count_batched(texts: Iterator[str], count: Counter) -> list[int]:
    """Tokens of every text, counted in batches of about a million characters."""
    counts: list[int] = []
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= _BATCH_CHARACTERS:
            counts.extend(count(batch))
            batch, size = [], 0
    if batch:
        counts.extend(count(batch))
    return counts


def break_down(
    text: str, spans: Sequence[tuple[int, int, int, int]], pages: list[int] | None, count: Counter, limit: int
) -> list[Piece]:
    """Pieces of at most `limit` tokens, in order, of the spans (start, end, level, block). Blank pieces are dropped."""
    pieces = _counted(text, (Piece(*span[:3], 0, span[3]) for span in spans), count, limit * _CHARACTERS_PER_TOKEN)
    # Words in groups first: one piece a word is slow over megabytes without sentences, as in JSON on one line.
    for level, least in ((PAGE, 0), (PARAGRAPH, 0), (LINE, 0), (SENTENCE, 0), (WORD, limit // 4), (WORD, 0), (INSIDE, 0)):
        if all(piece.tokens <= limit for piece in pieces):
            return pieces
        longest = limit * _CHARACTERS_PER_TOKEN if level < WORD else max(_LONGEST_WORD, limit * _CHARACTERS_PER_TOKEN)
        broken: list[Piece] = []
        new: list[int] = []
        for piece in pieces:
            if piece.tokens <= limit:
                broken.append(piece)
                continue
            parts = _words(text, piece) if level == INSIDE else _break(text, piece, level, pages, least)
            if len(parts) == 1 and parts[0] == piece:
                # A word is counted at the latest when its round is over.
                if level < WORD or piece.tokens < _TOO_LONG:
                    broken.append(piece)
                    continue
            new.extend(range(len(broken), len(broken) + len(parts)))
            broken.extend(parts)
        counted = _counted(text, (broken[i] for i in new), count, longest)
        for i, piece in zip(new, counted, strict=True):
            broken[i] = piece
        pieces = broken
    return _slices(text, pieces, count, limit)


def _counted(text: str, pieces: Iterator[Piece], count: Counter, longest: int) -> list[Piece]:
    """The pieces with their tokens; one of more than `longest` characters is too long without being counted."""
    listed = list(pieces)
    counts = iter(count_batched((text[p.start : p.end] for p in listed if p.end - p.start <= longest), count))
    return [p._replace(tokens=next(counts) if p.end - p.start <= longest else _TOO_LONG) for p in listed]


def _break(text: str, piece: Piece, level: int, pages: list[int] | None, least: int) -> list[Piece]:
    """The parts of a piece at its boundaries of a level, of at least `least` characters but the last."""
    start, end = piece.start, piece.end
    if level == PAGE:
        inside = pages[bisect_right(pages, start) : bisect_left(pages, end)] if pages else []
    else:
        inside = [match.start() for match in _BOUNDARIES[level].finditer(text, start, end)]
    parts: list[Piece] = []
    begin = piece.level
    for stop in (*inside, end):
        if stop == start or (stop - start < least and stop < end):
            continue
        if text[start:stop].isspace():
            begin = HARD if stop - start > _LONGEST_BLANK else begin
        else:
            parts.append(Piece(start, stop, begin, 0, piece.block))
            begin = level
        start = stop
    # Nothing to break: the piece as it was, so that it is not counted again.
    return [piece] if len(parts) == 1 and parts[0][:3] == piece[:3] else parts


def _words(text: str, piece: Piece) -> list[Piece]:
    """A piece that holds one word, without the white space before it."""
    lead = piece.end - piece.start - len(text[piece.start : piece.end].lstrip())
    return [piece._replace(start=piece.start + lead, level=HARD if lead else piece.level)]


def _slices(text: str, pieces: list[Piece], count: Counter, limit: int) -> list[Piece]:
    """Words that are too long by themselves, cut into slices that fit (a single character is never cut)."""
    while True:
        broken: list[Piece] = []
        new: list[int] = []
        for piece in pieces:
            length = piece.end - piece.start
            if piece.tokens <= limit or length == 1:
                broken.append(piece)
                continue
            guess = 4 * limit if piece.tokens == _TOO_LONG else length * limit // piece.tokens
            size = max(1, min(guess, length // 2))
            for start in range(piece.start, piece.end, size):
                level = piece.level if start == piece.start else INSIDE
                new.append(len(broken))
                broken.append(Piece(start, min(start + size, piece.end), level, 0, piece.block))
        if not new:
            return pieces
        for i, piece in zip(new, _counted(text, (broken[i] for i in new), count, _TOO_LONG), strict=True):
            broken[i] = piece
        pieces = broken


def pack(pieces: Sequence[Piece], limit: int, crumb: int) -> list[tuple[int, int, int]]:
    """(start, end, tokens) of neighbouring pieces put together, at most `limit` tokens each.

    Filled greedily, but ended at the most natural boundary of the last part; when what would be left over is smaller
    than `crumb`, the two last are shared out more evenly.
    """
    packed = []
    sums = [0]
    for piece in pieces:
        sums.append(sums[-1] + piece.tokens)
    first, total = 0, len(pieces)
    hard = [i for i, piece in enumerate(pieces) if piece.level == HARD and i] + [total]
    while first < total:
        stop = hard[bisect_right(hard, first)]
        room = limit
        left = sums[stop] - sums[first]
        if limit < left < limit + crumb:
            room = max(left - crumb, limit // 2)
        last = min(max(bisect_right(sums, sums[first] + room) - 1, first + 1), stop)
        if last < stop:
            least = max(bisect_left(sums, sums[first] + int(room * _FILLED)), first + 1)
            last = min(range(last, least - 1, -1), key=lambda i: pieces[i].level, default=last)
        packed.append((pieces[first].start, pieces[last - 1].end, sums[last] - sums[first]))
        first = last
    return packed
