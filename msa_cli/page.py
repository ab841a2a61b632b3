"""Where text goes: styled and word-wrapped on a terminal, plain unbroken lines anywhere else.

Rich is imported only when a terminal is written to, so piped commands do not pay for it.
A reader that goes away (`msa sources | head -1`) does not stop the command: the rest is written to nowhere
and the exit code stays the true one.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

Span = str | tuple[str, str]
"""Text, or text with a Rich style."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Make control characters visible: stored text must not drive the reader's terminal."""
    return CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """`text` with its line breaks as spaces; spaces are kept, for they may belong to a file's name."""
    return clean(" ".join(text.splitlines()))


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at `stream` through a terminal that can move its cursor."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def silence(stream: TextIO) -> None:
    """Point the stream's descriptor at the null device, so that what is still buffered goes nowhere."""
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, stream.fileno())
    finally:
        os.close(sink)


def width(text: str) -> int:
    """Columns of a terminal that `text` takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


@dataclass(frozen=True)
class Column:
    """One column of a table. `style` is Rich's."""

    head: str
    right: bool = False
    style: str = ""


class Page:
    """One output stream. `fancy` says whether it is a terminal; `closed` that its reader went away."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.fancy = is_terminal(self.stream)
        self.closed = False

    @cached_property
    def console(self) -> Console:
        """Rich's console on this stream; without any escape codes for styles under NO_COLOR."""
        from rich.console import Console

        system = None if os.environ.get("NO_COLOR") else "auto"
        return Console(file=self.stream, color_system=system, highlight=False, markup=False, emoji=False)

    def write(self, text: str, flush: bool = False) -> None:
        """Write `text` as it is."""
        try:
            self.stream.write(text)
            if flush:
                self.stream.flush()
        except BrokenPipeError:
            self.closed = True
            silence(self.stream)

    def line(self, *spans: Span, indent: int = 0) -> None:
        """Write one line; it is never wrapped here, so that a path can be copied whole."""
        parts = [(span, "") if isinstance(span, str) else span for span in spans]
        if not self.fancy:
            self.write(" " * indent + "".join(one_line(text) for text, _ in parts) + "\n")
            return
        from rich.text import Text

        styled = Text.assemble(" " * indent, *((one_line(text), style) for text, style in parts))
        self.console.print(styled, soft_wrap=True)

    def block(self, text: str, indent: int = 0, style: str = "") -> None:
        """Write a passage, indented; wrapped at words on a terminal, line by line as it is elsewhere."""
        text = clean(text)
        if not self.fancy:
            self.write("".join((" " * indent + line).rstrip() + "\n" for line in text.splitlines()))
            return
        from rich.padding import Padding
        from rich.text import Text

        self.console.print(Padding(Text(text, style=style), (0, 0, 0, indent), expand=False))

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], indent: int = 0) -> None:
        """Write rows in columns. The heads are for a terminal only: elsewhere each line is data."""
        cells = [[one_line(cell) for cell in row] for row in rows]
        if not self.fancy:
            self._align(columns, cells, indent)
            return
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for column in columns:
            justify = "right" if column.right else "left"
            table.add_column(
                column.head, justify=justify, style=column.style, no_wrap=column.right, overflow="fold"
            )
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        self.console.print(Padding(table, (0, 0, 0, indent), expand=False))

    def _align(self, columns: Sequence[Column], cells: list[list[str]], indent: int) -> None:
        widths = [max((width(row[i]) for row in cells), default=0) for i in range(len(columns))]
        for row in cells:
            line = " " * indent
            for column, cell, wide in zip(columns, row, widths, strict=True):
                space = " " * (wide - width(cell))
                line += (space + cell if column.right else cell + space) + "  "
            self.write(line.rstrip() + "\n")

    def json(self, value: Any, pretty: bool | None = None, flush: bool = False) -> None:
        """Write one JSON document: on one line, or indented on a terminal."""
        indent = 2 if (self.fancy if pretty is None else pretty) else None
        # Escapes are the only way to say a letter that the stream's encoding lacks.
        escape = (getattr(self.stream, "encoding", None) or "utf-8").lower().replace("-", "") != "utf8"
        self.write(json.dumps(value, ensure_ascii=escape, indent=indent) + "\n", flush=flush)
