"""The text blocks of a page in reading order, and a page's lines as paragraphs.

Reading order is a recursive cut: a region with a gutter that no block crosses is read column by column; otherwise the
blocks wider than most of the region (titles, wide figures' captions) split it into bands, read from top to bottom.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

# Points. A narrower gap between blocks is not a gutter between columns.
_GUTTER = 5.0
_SAME_ROW = 3.0
# Of the font's size. Words of a line stretched to the margin stand closer.
_CELL_GAP = 1.0
CELL_STROKE = " | "
# A table of contents leads to its page numbers with dots.
_LEADERS = re.compile(r"(?:\.\s*){3}$")
_WIDE = 0.6
_RESIZED = 0.15
_HYPHENS = "-\u2010\u00ad"
_LIST_ITEM = re.compile(r"(?:[\u2022\u25aa\u25cf\u25e6\u2023\u2043*\u2013-]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s")
_SENTENCE_END = re.compile(r"[.!?:;\u2026][\"'\u201d\u2019)\]]*$")


class Block(NamedTuple):
    """A text block: its box in points, y downwards, its lines separated by line ends, its font size."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str
    size: float = 0.0


class Line(NamedTuple):
    """A line of text, its box and its font size in points."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str
    size: float


def split_block(lines: Sequence[Line]) -> list[Block]:
    """One block of the renderer as blocks of one font size and even line distance: a heading apart from its text."""
    gaps = sorted(below.y0 - above.y1 for above, below in zip(lines, lines[1:]))
    usual = gaps[len(gaps) // 2] if gaps else 0.0
    groups: list[list[Line]] = []
    for line in lines:
        above = groups[-1][-1] if groups else None
        if above is None or _stands_apart(above, line, usual):
            groups.append([])
        groups[-1].append(line)
    return [
        Block(
            min(line.x0 for line in group),
            min(line.y0 for line in group),
            max(line.x1 for line in group),
            max(line.y1 for line in group),
            _rows(group),
            group[0].size,
        )
        for group in groups
    ]


def _rows(lines: Sequence[Line]) -> str:
    """Lines separated by line ends; those that stand side by side far apart, cells of a table, by strokes."""
    text = lines[0].text
    for before, line in zip(lines, lines[1:]):
        beside = _same_row(before, line) and line.x0 - before.x1 > _CELL_GAP * line.size and not _LEADERS.search(text)
        text += f"{CELL_STROKE}{line.text.lstrip()}" if beside else f"\n{line.text}"
    return text


def _same_row(above: Line, line: Line) -> bool:
    return line.y0 < above.y0 + above.size / 2


def _stands_apart(above: Line, line: Line, usual: float) -> bool:
    if _same_row(above, line):
        return False
    gap = line.y0 - above.y1
    resized = abs(line.size - above.size) > _RESIZED * above.size
    return resized or gap > 1.2 * line.size or gap > max(0.4 * line.size, 1.6 * usual)


def reading_order(blocks: Sequence[Block], depth: int = 0) -> list[Block]:
    """The blocks in the order in which a person reads them."""
    rows = sorted(blocks, key=lambda block: (block.y0, block.x0))
    if len(rows) < 2 or depth > 12:
        return rows
    columns = _columns(rows)
    if len(columns) > 1:
        if _is_table(columns):
            return sorted(rows, key=lambda block: (round(block.y0 / _SAME_ROW), block.x0))
        return [block for column in columns for block in reading_order(column, depth + 1)]
    left, right = min(block.x0 for block in rows), max(block.x1 for block in rows)
    wide = [block for block in rows if block.x1 - block.x0 > _WIDE * (right - left)]
    if not wide or len(wide) == len(rows):
        return rows
    ordered: list[Block] = []
    rest = [block for block in rows if block not in wide]
    for bar in wide:
        above = [block for block in rest if block.y0 < bar.y0]
        rest = [block for block in rest if block.y0 >= bar.y0]
        ordered += [*reading_order(above, depth + 1), bar]
    return ordered + reading_order(rest, depth + 1)


def _columns(blocks: list[Block]) -> list[list[Block]]:
    """The blocks grouped by the vertical gutters between them, left to right."""
    columns: list[list[Block]] = []
    edge = float("-inf")
    for block in sorted(blocks, key=lambda block: block.x0):
        if block.x0 > edge + _GUTTER:
            columns.append([])
        columns[-1].append(block)
        edge = max(edge, block.x1)
    return columns


def _is_table(columns: list[list[Block]]) -> bool:
    """Whether single lines stand side by side in rows, as in a form: then rows are read, not columns."""
    first, *others = columns
    tops = [block.y0 for column in others for block in column]
    cells = [b for b in first if "\n" not in b.text.strip() and any(abs(b.y0 - top) < _SAME_ROW for top in tops)]
    single = all("\n" not in block.text.strip() for column in others for block in column)
    return single and len(cells) >= max(2, 0.8 * len(first))


def page_text(blocks: Sequence[Block]) -> str:
    """Paragraphs separated by a blank line; lines joined, words divided at a line's end put together again."""
    paragraphs: list[str] = []
    size = 0.0
    for block in blocks:
        text = _joined(block.text)
        if not text:
            continue
        same_size = abs(block.size - size) <= _RESIZED * size
        size = block.size
        if paragraphs and same_size and _goes_on(paragraphs[-1], text):
            paragraphs[-1] = _join(paragraphs[-1], text)
        else:
            paragraphs.append(text)
    return "\n\n".join(paragraphs)


def _joined(text: str) -> str:
    """One block's lines as one line; items of a list and rows of a table keep a line each."""
    joined = ""
    for line in text.splitlines():
        line = " ".join(line.split())
        if not line:
            continue
        if joined and (_LIST_ITEM.match(line) or CELL_STROKE in line):
            joined += "\n" + line
        else:
            joined = _join(joined, line) if joined else line
    return joined


def _join(text: str, line: str) -> str:
    if text[-1] in _HYPHENS and len(text) > 1 and text[-2].isalpha():
        # A capital or a digit after the hyphen: the hyphen is part of the word.
        return text[:-1] + line if line[0].islower() else text + line
    return f"{text} {line}"


def _goes_on(paragraph: str, text: str) -> bool:
    """Whether a block is the rest of the paragraph before it, as at the end of a column."""
    return text[0].islower() and not _SENTENCE_END.search(paragraph[-8:]) and not _LIST_ITEM.match(text)
