"""Sources' text, compressed in blocks so that a slice of a huge source is cheap."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.sources.long_text import LongText

BLOCK_CHARS = 65_536


def encode_block(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)


def decode_block(blob: bytes) -> str:
    """Raises zlib.error or UnicodeDecodeError if the block is damaged."""
    return zlib.decompress(blob).decode("utf-8", "surrogatepass")


def blocks(source_id: int, text: str | LongText) -> Iterator[tuple[int, int, int, int, bytes]]:
    """Rows of `text_blocks` for a source's whole text."""
    newlines = 0
    for start in range(0, len(text), BLOCK_CHARS):
        piece = text[start : start + BLOCK_CHARS]
        yield source_id, start, len(piece), newlines, encode_block(piece)
        newlines += piece.count("\n")


def read(connection: sqlite3.Connection, source_id: int, start: int, end: int) -> str:
    """Characters [start, end) of a source's text, clamped to its ends."""
    if start >= end:
        return ""
    start = max(start, 0)
    rows = connection.execute(
        "SELECT start_char, blob FROM text_blocks WHERE source_id = ? AND start_char >= ? AND start_char < ? "
        "ORDER BY start_char",
        (source_id, start - start % BLOCK_CHARS, end),
    ).fetchall()
    if not rows:
        return ""
    first = rows[0][0]
    return "".join(decode_block(blob) for _, blob in rows)[start - first : end - first]


def line_of(connection: sqlite3.Connection, source_id: int, char: int) -> int:
    """1-based line that holds character `char`; lines end with a line feed."""
    start = max(char, 0) // BLOCK_CHARS * BLOCK_CHARS
    row = connection.execute(
        "SELECT newlines_before, blob FROM text_blocks WHERE source_id = ? AND start_char = ?", (source_id, start)
    ).fetchone()
    if row is None:
        return 1
    newlines, blob = row
    return 1 + newlines + decode_block(blob).count("\n", 0, char - start)
