"""Connections to the catalog, and the statements every reader shares. Plain sqlite3: must import in milliseconds."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from engine.errors import NoMemoryError, StoreCorruptError, StoreError

SCHEMA_VERSION = 1
BUSY_MS = 30_000
CATALOG = "catalog.sqlite"
SEGMENTS = "segments"

SOURCE_COLUMNS = (
    "id, root, name, record, source, display, kind, title, content_hash, size, mtime_ns, n_chars, n_tokens, "
    "n_documents, total_documents, complete, page_starts, line"
)
DOCUMENT_SELECT = (
    'SELECT d.id, d.source_id, d.ordinal, d.start, d."end", d.title, d.n_tokens, d.n_chunks, d.segment_id, '
    "d.chunk_offset, d.kv_offset, s.root, s.name, s.record, s.source, s.display, s.kind, s.page_starts, s.line "
    "FROM documents d JOIN sources s ON s.id = d.source_id"
)
SEGMENT_SELECT = "SELECT id, file, n_chunks, n_documents, n_tokens, bytes_router, bytes_kv, checksum FROM segments"
INSERT_SEGMENT = "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "surrogatepass")


def sql_text(value: str | None) -> str | bytes | None:
    """A value to bind as TEXT (through `CAST(? AS TEXT)`), lone surrogates included: file names may hold any byte."""
    if value is None or value.isascii():
        return value
    try:
        value.encode()
        return value
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")


def reader(directory: Path) -> sqlite3.Connection:
    """A connection that cannot write, also where the directory is read-only.

    Raises NoMemoryError where there is no catalog, `sqlite3.DatabaseError` or `OSError` where it cannot be read.
    """
    path = directory / CATALOG
    if not path.exists():
        raise NoMemoryError(f"There is no memory at {directory} yet.")
    mode = "mode=rw"
    if not (os.access(directory, os.W_OK) and os.access(path, os.W_OK)):
        # Without write access SQLite cannot make the WAL's index file; a catalog without a WAL is complete in itself.
        wal = path.with_name(CATALOG + "-wal")
        mode = "mode=ro" if wal.exists() and wal.stat().st_size else "immutable=1"
    connection = _connect(f"file:{quote(str(path.absolute()))}?{mode}")
    connection.execute("PRAGMA query_only = ON")
    return connection


def writer(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """A connection that writes. Deleted content is overwritten with zeros; a commit is on the disk when it returns."""
    connection = _connect(f"file:{quote(str(path.absolute()))}?mode={'rwc' if create else 'rw'}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    # The sqlite3 library serialises threads itself; every statement here is fetched whole before the next.
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.text_factory = _decode
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE ... COMMIT; rolled back when the block raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Several SELECTs of one state of the catalog. Keep it short: it holds back checkpoints."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def read_meta(connection: sqlite3.Connection, directory: Path) -> dict[str, str]:
    """The stamp of the memory. Raises StoreCorruptError without one, StoreError if a newer program wrote it."""
    try:
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        schema = int(meta["schema_version"])
    except (KeyError, ValueError, sqlite3.OperationalError) as error:
        if getattr(error, "sqlite_errorname", "SQLITE_ERROR") != "SQLITE_ERROR":
            raise
        raise StoreCorruptError(f"{directory / CATALOG} is not a catalog of this program.") from error
    if schema > SCHEMA_VERSION:
        raise StoreError(f"{directory} was written by a newer version of msa; upgrade msa to use it.")
    return meta


def bump_version(connection: sqlite3.Connection) -> None:
    """Tell readers, in the same transaction, that what they hold is out of date."""
    connection.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'version'")


def set_meta(connection: sqlite3.Connection, key: str, value: str | None) -> None:
    if value is None:
        connection.execute("DELETE FROM meta WHERE key = ?", (key,))
    else:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, CAST(? AS TEXT))", (key, sql_text(value)))


def next_id(connection: sqlite3.Connection, table: str) -> int:
    """The id after the largest ever given in `table`. Only the holder of the writer lock may act on it."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return (row[0] if row else 0) + 1
