"""Tables in plain text: rows of cells between upright strokes, and what each cell's column is called.

A row read on its own does not say what its numbers are. Markdown marks the header with a line of dashes; in text taken
from a PDF or a page of HTML it is the first row, if it looks like names of columns. In text of HTML, which keeps the lines
of its file, the further cells of a row may stand on lines of their own, each behind a stroke.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine import separated

_STROKE = re.compile(r"(?<!\\)\|")
_RULE = frozenset(" \t\r|:+-")
_LONGEST_NAME = 40
_FEWEST_UNMARKED = 3
"""Columns of a table whose header is not marked: with two, the first row is as likely a name and its value."""


@dataclass
class Table:
    """Rows of cells, each the (start, end) characters of its text; `header` are its columns' names, "" for none."""

    rows: list[list[tuple[int, int]]] = field(default_factory=list)
    header: list[str] = field(default_factory=list)


def tables(text: str) -> Iterator[Table]:
    """The tables of a text: two rows or more, of as many cells, with nothing but blank lines between them."""
    table, marked = Table(), False
    for cells, start, end in _rows(text):
        line = text[start:end]
        if "|" in line and "--" in line and _RULE.issuperset(line) and len(table.rows) == 1:
            marked = True
            continue
        if table.rows and len(cells) != len(table.rows[0]):
            yield from _whole(text, table, marked)
            table, marked = Table(), False
        if len(cells) > 1:
            table.rows.append(cells)
    yield from _whole(text, table, marked)


def _whole(text: str, table: Table, marked: bool) -> Iterator[Table]:
    if len(table.rows) < 2:
        return
    names = [text[a:b] for a, b in table.rows[0]]
    short = all(len(name) <= _LONGEST_NAME and not any(c.isdigit() for c in name) for name in names)
    if marked or (short and len(names) >= _FEWEST_UNMARKED and all(names)):
        table.header = names
    yield table


def _rows(text: str) -> Iterator[tuple[list[tuple[int, int]], int, int]]:
    """(cells, start, end) of each row or line of prose, which has no cells; blank lines are passed over."""
    row: list[tuple[int, int]] = []
    for start, end in _lines(text):
        line = text[start:end]
        if not line.strip():
            continue
        cells = _cells(text, start, end)
        # A stroke at the front alone: one more cell, after empty ones, of the row that the line before belongs to.
        hangs = line.lstrip().startswith("|") and not line.rstrip().endswith("|")
        if row and hangs and all(a == b for a, b in cells[:-1]):
            row += cells
            continue
        if row:
            yield row if len(row) > 1 else [], row[0][0], row[-1][1]
        row = []
        if cells:
            yield cells, start, end
        else:
            row = [(start + len(line) - len(line.lstrip()), start + len(line.rstrip()))]
    if row:
        yield row if len(row) > 1 else [], row[0][0], row[-1][1]


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.split("\n"):
        yield start, start + len(line)
        start += len(line) + 1


def _cells(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The cells of a line, without the blanks around them; a stroke at either end is a border."""
    line = text[start:end]
    if "|" not in line:
        return []
    edges = [-1, *(m.start() for m in _STROKE.finditer(line)), len(line)]
    cells = []
    for left, right in zip(edges, edges[1:]):
        inside = line[left + 1 : right]
        begin = start + left + 1 + len(inside) - len(inside.lstrip())
        cells.append((begin, begin + len(inside.strip())))
    if line.lstrip().startswith("|"):
        cells = cells[1:]
    if line.rstrip().endswith("|"):
        cells = cells[:-1]
    return cells


def column_names(text: str, header: Sequence[str] = (), separator: str = "") -> list[tuple[int, str]]:
    """(character, name) where a cell begins whose column has a name, in order. `header` names the columns of a table that
    began before the text, and all of them where the cells have a `separator` other than strokes."""
    if separator:
        return separated.named(text, tuple(header), separator)
    if "|" not in text:
        return []
    names: list[tuple[int, str]] = []
    for rows, columns in _named_rows(text, header):
        for row in rows:
            names += [(start, name) for (start, end), name in zip(row, columns, strict=True) if name and end > start]
    return names


def _named_rows(text: str, header: Sequence[str]) -> Iterator[tuple[list[list[tuple[int, int]]], Sequence[str]]]:
    found = list(tables(text))
    if header and (first := first_row(text)):
        begun = found.pop(0).rows if found and found[0].rows[0] == first else [first]
        if len(first) == len(header):
            yield begun, header
    yield from ((table.rows[1:], table.header) for table in found if table.header)


def first_row(text: str) -> list[tuple[int, int]]:
    """The cells of the row a text begins with; none if it does not begin with one."""
    return next((cells for cells, _, _ in _rows(text)), [])


def header_before(before: str, columns: int) -> list[str]:
    """The header of the table of so many columns that goes on where `before` ends."""
    # A row of the table stands in for what follows: only what it joins is the same table.
    joined = f"{before.rstrip()}\n|{'.|' * columns}\n"
    last = next((t for t in reversed(list(tables(joined))) if t.rows[-1][0][0] > len(before.rstrip())), None)
    return last.header if last else []


def table_cells(text: str, separator: str = "") -> list[tuple[int, int]]:
    """The cells of all tables, in order."""
    if separator:
        return [cell for row in separated.rows(text, separator) for cell in row]
    if "|" not in text:
        return []
    return sorted(cell for table in tables(text) for row in table.rows for cell in row)
