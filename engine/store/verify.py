"""Checks that everything the catalog says holds in the files, and that the catalog itself is sound."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.errors import StoreCorruptError
from engine.store import catalog, text
from engine.store.catalog import CATALOG, SEGMENTS
from engine.store.errors import SegmentGoneError, told
from engine.store.records import SegmentRow
from engine.store.segment import Segment, Sizes, checksum

if TYPE_CHECKING:
    from engine.store.store import Store

ATTEMPTS = 3


def verify(store: Store) -> list[str]:
    """All problems, one sentence each. Starts over if a writer changed the memory in the middle.

    Files that the catalog does not name are no problem: a killed writer leaves them and the next one removes them.
    """
    with told(store.directory):
        for _ in range(ATTEMPTS):
            version = store.version()
            problems = list(_problems(store))
            if not problems or store.version() == version:
                break
        return problems


def _problems(store: Store) -> Iterator[str]:
    connection = catalog.reader(store.directory)
    try:
        for check in (_sqlite, _index, _counts, _places, _segments, _texts):
            yield from _guarded(check(connection, store))
    finally:
        connection.close()


def _guarded(problems: Iterator[str]) -> Iterator[str]:
    """A damaged catalog fails in the middle of a check: that is a problem to list, not a reason to stop."""
    try:
        yield from problems
    except sqlite3.DatabaseError as error:
        yield f"{CATALOG}: {error}."


def _sqlite(connection: sqlite3.Connection, _: Store) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check").fetchall():
        if line != "ok":
            yield f"{CATALOG}: {line}."
    for table, rowid, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchall():
        yield f"{CATALOG}: row {rowid} of {table} refers to a row of {parent} that is not there."


def _index(connection: sqlite3.Connection, _: Store) -> Iterator[str]:
    for label, sql in (
        ("is not in the text index", "SELECT id FROM documents EXCEPT SELECT id FROM documents_fts_docsize"),
        ("is only in the text index", "SELECT id FROM documents_fts_docsize EXCEPT SELECT id FROM documents"),
    ):
        for (document_id,) in connection.execute(sql).fetchall():
            yield f"{CATALOG}: document {document_id} {label}."
    # FTS5 takes the command as a write, though it changes nothing: a temporary copy needs no permission and no lock.
    copy = sqlite3.connect("")
    try:
        connection.backup(copy)
        copy.execute("INSERT INTO documents_fts (documents_fts) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        yield f"{CATALOG}: the text index is damaged ({error})."
    finally:
        copy.close()


def _counts(connection: sqlite3.Connection, _: Store) -> Iterator[str]:
    rows = connection.execute(
        "SELECT s.display, s.n_documents, s.n_tokens, s.total_documents, s.complete, count(d.id), "
        "ifnull(sum(d.n_tokens), 0), ifnull(max(d.ordinal) + 1, 0) "
        "FROM sources s LEFT JOIN documents d ON d.source_id = s.id GROUP BY s.id"
    )
    for display, documents, tokens, total, complete, found, found_tokens, ordinals in rows.fetchall():
        if (documents, tokens) != (found, found_tokens) or ordinals != found:
            yield f"{display}: {documents} documents, {tokens} tokens by the catalog, but {found}, {found_tokens}."
        if bool(complete) != (documents == total):
            yield f"{display}: marked {'complete' if complete else 'incomplete'} with {documents} of {total} documents."
    outside = connection.execute(
        "SELECT s.display, d.ordinal FROM documents d JOIN sources s ON s.id = d.source_id "
        'WHERE d.start < 0 OR d.start >= d."end" OR d."end" > s.n_chars'
    )
    for display, ordinal in outside.fetchall():
        yield f"{display}: document {ordinal} lies outside of the source's text."


def _places(connection: sqlite3.Connection, store: Store) -> Iterator[str]:
    """Chunk ranges must lie inside their segment, one after the other, and records in the same order."""
    chunk_bytes = Sizes.of(store.shape).content
    rows = connection.execute(
        "SELECT g.file, g.n_chunks, d.id, d.chunk_offset, d.n_chunks, d.kv_offset FROM documents d "
        "JOIN segments g ON g.id = d.segment_id ORDER BY g.id, d.chunk_offset"
    )
    last, free = "", 0
    for file, capacity, document_id, offset, n_chunks, kv_offset in rows.fetchall():
        if file != last:
            last, free = file, 0
        if offset < free or n_chunks < 1 or offset + n_chunks > capacity or kv_offset != offset * chunk_bytes:
            yield f"{SEGMENTS}/{file}: the states of document {document_id} overlap others or lie outside of the file."
        free = offset + n_chunks


def _segments(connection: sqlite3.Connection, store: Store) -> Iterator[str]:
    for row in connection.execute(catalog.SEGMENT_SELECT).fetchall():
        yield from _segment(store, SegmentRow._make(row))


def _segment(store: Store, row: SegmentRow) -> Iterator[str]:
    path = store.directory / SEGMENTS / row.file
    try:
        segment = Segment(path, store.shape)
        sizes = Sizes.of(store.shape)
        expected = (segment.n_chunks, sizes.router(row.n_chunks), row.n_chunks * sizes.content)
        if (row.n_chunks, row.bytes_router, row.bytes_kv) != expected:
            yield f"{SEGMENTS}/{row.file}: its size does not match the catalog."
        if segment.metadata.get("fingerprint") != store.fingerprint:
            yield f"{SEGMENTS}/{row.file}: it was encoded by another model."
        if checksum(path) != row.checksum:
            yield f"{SEGMENTS}/{row.file}: its checksum does not match the catalog."
    except (SegmentGoneError, FileNotFoundError):
        yield f"{SEGMENTS}/{row.file}: the file is missing."
    except (StoreCorruptError, OSError) as error:
        yield f"{SEGMENTS}/{row.file}: {error}"


def _texts(connection: sqlite3.Connection, _: Store) -> Iterator[str]:
    for source_id, display, n_chars in connection.execute("SELECT id, display, n_chars FROM sources").fetchall():
        yield from _guarded(_text(connection, source_id, display, n_chars))


def _text(connection: sqlite3.Connection, source_id: int, display: str, n_chars: int) -> Iterator[str]:
    """Text blocks must follow each other, decompress, and make up the whole source."""
    position = newlines = 0
    rows = connection.execute(
        "SELECT start_char, n_chars, newlines_before, blob FROM text_blocks WHERE source_id = ? ORDER BY start_char",
        (source_id,),
    )
    for start, count, before, blob in rows.fetchall():
        try:
            piece = text.decode_block(blob)
        except (zlib.error, UnicodeDecodeError):
            yield f"{display}: the text from character {start} on is damaged."
            return
        if (start, count, before) != (position, len(piece), newlines):
            yield f"{display}: the text from character {start} on is not in its place."
            return
        position += count
        newlines += piece.count("\n")
    if position != n_chars:
        yield f"{display}: {position} of {n_chars} characters of text are stored."
