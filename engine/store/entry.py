"""The rows of one commit: sources, documents, text blocks and index rows, collected and inserted in bulk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain, groupby

from engine.model.states import StateShape
from engine.store import catalog, search, text
from engine.store.catalog import next_id, sql_text
from engine.store.names import visible_name
from engine.store.records import NewDocument, NewSource, SegmentRow, SourceRow
from engine.store.segment import Sizes

PART_CHARACTERS = 1 << 20

Batch = Sequence[tuple[NewSource, Sequence[NewDocument]]]

SOURCE_VALUES = ", ".join(
    "CAST(? AS TEXT)" if column in {"root", "name", "record", "source", "display", "title"} else "?"
    for column in catalog.SOURCE_COLUMNS.split(", ")
)
INSERT_SOURCE = f"INSERT INTO sources ({catalog.SOURCE_COLUMNS}) VALUES ({SOURCE_VALUES})"
UPDATE_SOURCE = f"UPDATE sources SET ({catalog.SOURCE_COLUMNS}) = ({SOURCE_VALUES}) WHERE id = ?"
INSERT_DOCUMENT = "INSERT INTO documents VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?, ?)"
INSERT_TEXT = "INSERT INTO text_blocks VALUES (?, ?, ?, ?, ?)"


class Entry:
    """The rows of one commit, inside its transaction."""

    def __init__(self, connection: sqlite3.Connection, shape: StateShape, row: SegmentRow | None):
        self._db = connection
        self._shape = shape
        self._content_bytes = Sizes.of(shape).content
        self._segment_id = row.id if row else 0
        self._next_document = next_id(connection, "documents")
        self._chunk = 0
        self._clear()

    def _clear(self) -> None:
        self._documents: list[tuple[object, ...]] = []
        self._indexed: list[tuple[int, str, str]] = []
        self._text: list[Iterator[tuple[int, int, int, int, bytes]]] = []
        self._pending: set[tuple[str, str, str | None]] = set()

    def enter(self, batch: Batch) -> list[int]:
        ids = []
        for source, documents in batch:
            if (source.root, source.name, source.record) in self._pending:
                self._flush()
            ids.append(self._source(source, documents))
        self._flush()
        return ids

    def _flush(self) -> None:
        # Compressed as they are written: the text of a large source is never twice in memory.
        self._db.executemany(INSERT_TEXT, chain.from_iterable(self._text))
        self._db.executemany(INSERT_DOCUMENT, self._documents)
        search.add(self._db, self._indexed)
        self._clear()

    def _source(self, source: NewSource, documents: Sequence[NewDocument]) -> int:
        known = find_identity(self._db, source.root, source.name, source.record)
        first = documents[0].ordinal if documents else 0
        _check(source, documents, first, known)
        if known is not None and first == 0:
            remove_content(self._db, known.id)
        tokens = sum(document.states.n_tokens for document in documents)
        if known is not None and first > 0:
            tokens += known.n_tokens
        source_id = self._put(source, known, first + len(documents), tokens)
        if first == 0:
            self._text.append(text.blocks(source_id, source.text))
        for document in documents:
            self._document(source_id, source, document)
        self._pending.add((source.root, source.name, source.record))
        return source_id

    def _put(self, source: NewSource, known: SourceRow | None, n_documents: int, n_tokens: int) -> int:
        shown = (known.source, known.display) if known else visible_name(
            self._db, source.root, source.name, source.record
        )
        pages = None if source.page_starts is None else json.dumps(source.page_starts)
        complete = int(n_documents == source.total_documents)
        values = (
            *map(sql_text, (source.root, source.name, source.record, *shown)), source.kind, sql_text(source.title),
            source.content_hash, source.size, source.mtime_ns, len(source.text), n_tokens, n_documents,
            source.total_documents, complete, pages, source.line,
        )  # fmt: skip
        if known is None:
            return self._db.execute(INSERT_SOURCE, (None, *values)).lastrowid or 0
        self._db.execute(UPDATE_SOURCE, (known.id, *values, known.id))
        return known.id

    def _document(self, source_id: int, source: NewSource, document: NewDocument) -> None:
        document_id = self._next_document
        n_chunks = -(-document.states.n_tokens // self._shape.chunk_size)
        self._documents.append(
            (
                document_id, source_id, document.ordinal, document.start, document.end, sql_text(document.title),
                document.states.n_tokens, n_chunks, self._segment_id, self._chunk, self._chunk * self._content_bytes,
            )  # fmt: skip
        )
        body = source.text[document.start : document.end]
        self._indexed.append((document_id, search.indexed(document.title), search.indexed(body)))
        self._next_document += 1
        self._chunk += n_chunks


def find_identity(connection: sqlite3.Connection, root: str, name: str, record: str | None) -> SourceRow | None:
    row = connection.execute(
        f"SELECT {catalog.SOURCE_COLUMNS} FROM sources "
        "WHERE root = CAST(? AS TEXT) AND name = CAST(? AS TEXT) AND record IS CAST(? AS TEXT)",
        (sql_text(root), sql_text(name), sql_text(record)),
    ).fetchone()
    return None if row is None else SourceRow._make(row)


def _check(source: NewSource, documents: Sequence[NewDocument], first: int, known: SourceRow | None) -> None:
    """Raises ValueError if the documents do not fit the source or do not continue what is stored of it."""
    for position, document in enumerate(documents):
        if document.ordinal != first + position:
            raise ValueError(f"{source.name}: document {document.ordinal} where {first + position} was expected")
        if not 0 <= document.start < document.end <= len(source.text):
            raise ValueError(f"{source.name}: document {document.ordinal} lies outside of the text")
    if first + len(documents) > source.total_documents:
        raise ValueError(f"{source.name}: more documents than its total of {source.total_documents}")
    if first > 0 and (known is None or known.content_hash != source.content_hash or known.n_documents != first):
        raise ValueError(f"{source.name}: document {first} does not continue what is stored of this source")


def remove_content(connection: sqlite3.Connection, source_id: int) -> None:
    """Take a source's documents, index rows and text out; its own row stays."""
    rows = connection.execute(
        'SELECT id, title, start, "end" FROM documents WHERE source_id = ? ORDER BY start', (source_id,)
    ).fetchall()
    # A part of the text at a time, however long it is.
    for _, group in groupby(rows, lambda row: row[2] // PART_CHARACTERS):
        held = list(group)
        first = held[0][2]
        part = text.read(connection, source_id, first, max(end for *_, end in held))
        search.remove(
            connection,
            [(row, search.indexed(title), search.indexed(part[start - first : end - first])) for row, title, start, end in held],
        )
    connection.execute("DELETE FROM documents WHERE source_id = ?", (source_id,))
    connection.execute("DELETE FROM text_blocks WHERE source_id = ?", (source_id,))
