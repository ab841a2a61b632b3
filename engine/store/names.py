"""The name a source is shown by: its path below its root, made unique by the root's own folders where needed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import PurePath

from engine.store.catalog import sql_text


def _candidates(root: str, name: str) -> Iterator[str]:
    path = name
    yield path
    for folder in reversed(PurePath(root).parts[1:]):
        path = f"{folder}/{path}"
        yield path
    number = 2
    while True:
        yield f"{path} ({number})"
        number += 1


def _with_record(source: str, record: str | None) -> str:
    return source if record is None else f"{source}#{record}"


def visible_name(connection: sqlite3.Connection, root: str, name: str, record: str | None) -> tuple[str, str]:
    """(`source`, `display`) for a newcomer of this identity; the records of one file share their `source`."""
    kept = connection.execute(
        "SELECT source FROM sources WHERE root = CAST(? AS TEXT) AND name = CAST(? AS TEXT) LIMIT 1",
        (sql_text(root), sql_text(name)),
    ).fetchone()
    candidates = _candidates(root, name)
    if kept:
        display = _with_record(kept[0], record)
        if not _display_taken(connection, display):
            return kept[0], display
    for source in candidates:
        display = _with_record(source, record)
        if not _source_taken(connection, source) and not _display_taken(connection, display):
            return source, display
    raise AssertionError("the candidates never end")


def _source_taken(connection: sqlite3.Connection, source: str) -> bool:
    found = connection.execute("SELECT 1 FROM sources WHERE source = CAST(? AS TEXT) LIMIT 1", (sql_text(source),))
    return found.fetchone() is not None


def _display_taken(connection: sqlite3.Connection, display: str) -> bool:
    found = connection.execute("SELECT 1 FROM sources WHERE display = CAST(? AS TEXT)", (sql_text(display),))
    return found.fetchone() is not None
