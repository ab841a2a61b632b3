"""Tables of a .csv or .tsv file: a row a line, cells between separators, in quotes where they hold one.

Everything counts characters of the text as it stands, which a parser that hands out cells' contents does not tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

SEPARATORS = ",;\t|"
_MOST_COLUMNS, _LONGEST_NAME = 200, 60
_NUMBER = re.compile(r"[-+\d.,%/: ]+")
_IN_CELL = re.compile(r'[\r\n"|]')


@lru_cache
def _cell(separator: str) -> re.Pattern[str]:
    """A cell: in quotes as far as a separator or the line's end follows them, else all up to there."""
    s = re.escape(separator)
    return re.compile(rf'(?: *"(?P<quoted>(?:[^"]|"")*)" *(?={s}|\r?\n|\Z))|(?P<bare>[^{s}\n]*)')


def separator_of(line: str) -> str:
    """What separates the cells of a table that begins with `line`: what stands in it most often outside of quotes; "" for nothing."""
    bare = re.sub(r'"(?:[^"]|"")*"', "", line)
    best = max(SEPARATORS, key=bare.count)
    return best if best in bare else ""


def rows(text: str, separator: str) -> Iterator[list[tuple[int, int]]]:
    """The (start, end) characters of each cell, without quotes and outer blanks, row by row; blank lines are passed over."""
    row: list[tuple[int, int]] = []
    for start, end, stop in _cells(text, separator):
        row.append((start, end))
        if text[stop : stop + 1] != separator:
            if len(row) > 1 or end > start:
                yield row
            row = []


def _cells(text: str, separator: str) -> Iterator[tuple[int, int, int]]:
    """(start, end) of each cell, and where the separator or line's end after it stands."""
    at, cell = 0, _cell(separator)
    while at <= len(text):
        found = cell.match(text, at)
        start, end = found.span(found.lastgroup)
        inside = text[start:end]
        start += len(inside) - len(inside.lstrip())
        yield start, max(start, start + len(inside.strip())), found.end() + text.startswith("\r\n", found.end())
        at = found.end() + text.startswith("\r\n", found.end()) + 1


def header(line: str, separator: str) -> tuple[str, ...]:
    """The columns' names, if a table's first line has them: short, none missing, none a number."""
    cells = next(rows(line, separator), []) if separator else []
    names = tuple(line[a:b].lstrip("\ufeff") for a, b in cells)
    named = all(0 < len(n) <= _LONGEST_NAME and not _NUMBER.fullmatch(n) for n in names)
    return names if named and 1 < len(names) <= _MOST_COLUMNS else ()


def named(text: str, names: tuple[str, ...], separator: str) -> list[tuple[int, str]]:
    """(character, name) where a cell begins whose column has a name, in order; not in the header itself."""
    out: list[tuple[int, str]] = []
    for row in rows(text, separator):
        if len(row) == len(names) and any(text[a:b] != name for (a, b), name in zip(row, names, strict=True)):
            out += [(a, name) for (a, b), name in zip(row, names, strict=True) if b > a]
    return out


def as_strokes(text: str, separator: str) -> str:
    """The text, as long as it was, with strokes for separators and blanks for quotes: a table as the reader knows them."""
    out, at = [], 0
    for start, end, stop in _cells(text, separator):
        after = text[stop : stop + 1]
        out += [" " * (start - at), _IN_CELL.sub(" ", text[start:end]), " " * (stop - end), "|" if after == separator else after]
        at = stop + 1
    return "".join(out)
