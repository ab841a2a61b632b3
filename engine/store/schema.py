"""The catalog's tables, as recorded migrations. Writers apply them; readers never import this module."""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database, Migrations

from engine.store.search import FTS_TOKENIZER

migrations = Migrations("msa")

# Row ids are never reused (AUTOINCREMENT): a reader that still holds a forgotten id must find nothing, not a newcomer.
TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE sources (
        id INTEGER PRIMARY KEY AUTOINCREMENT, root TEXT NOT NULL, name TEXT NOT NULL, record TEXT,
        source TEXT NOT NULL, display TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,
        content_hash TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, n_chars INTEGER NOT NULL,
        n_tokens INTEGER NOT NULL, n_documents INTEGER NOT NULL, total_documents INTEGER NOT NULL,
        complete INTEGER NOT NULL, page_starts TEXT, line INTEGER)""",
    "CREATE UNIQUE INDEX sources_display ON sources (display)",
    "CREATE INDEX sources_source ON sources (source)",
    "CREATE INDEX sources_identity ON sources (root, name, record)",
    """CREATE TABLE segments (
        id INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL, n_chunks INTEGER NOT NULL,
        n_documents INTEGER NOT NULL, n_tokens INTEGER NOT NULL, bytes_router INTEGER NOT NULL,
        bytes_kv INTEGER NOT NULL, checksum TEXT NOT NULL)""",
    """CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT, source_id INTEGER NOT NULL REFERENCES sources (id),
        ordinal INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, title TEXT NOT NULL,
        n_tokens INTEGER NOT NULL, n_chunks INTEGER NOT NULL, segment_id INTEGER NOT NULL REFERENCES segments (id),
        chunk_offset INTEGER NOT NULL, kv_offset INTEGER NOT NULL)""",
    "CREATE UNIQUE INDEX documents_source ON documents (source_id, ordinal)",
    "CREATE INDEX documents_segment ON documents (segment_id, chunk_offset)",
    """CREATE TABLE text_blocks (
        source_id INTEGER NOT NULL REFERENCES sources (id), start_char INTEGER NOT NULL,
        n_chars INTEGER NOT NULL, newlines_before INTEGER NOT NULL, blob BLOB NOT NULL)""",
    "CREATE UNIQUE INDEX text_blocks_place ON text_blocks (source_id, start_char)",
    f"""CREATE VIRTUAL TABLE documents_fts USING fts5 (title, body, content='', tokenize="{FTS_TOKENIZER}")""",
)


@migrations(name="tables")
def _tables(database: Database) -> None:
    for statement in TABLES:
        database.execute(statement)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the catalog behind `connection` to the present schema."""
    migrations.apply(Database(connection, execute_plugins=False))
