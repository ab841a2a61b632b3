"""Every source of a memory encoded anew: new segments first, which nobody sees, then one swap of the catalog's rows.

Sources keep their rows and their text; documents, index, segments and the stamp are replaced.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from engine.store import catalog, search, segment, text
from engine.store.catalog import SEGMENTS, next_id, set_meta, sql_text
from engine.store.entry import INSERT_DOCUMENT
from engine.store.errors import told
from engine.store.records import NewDocument, SegmentRow
from engine.store.segment import Sizes
from engine.store.stamp import Stamp


class _Placed(NamedTuple):
    """A new document and where its states lie."""

    start: int
    end: int
    title: str
    n_tokens: int
    n_chunks: int
    segment_id: int
    chunk_offset: int


class Reencoding:
    """New documents for the sources of a memory, encoded under `stamp`; comes from `Writer.reencoding()`.

    Their states go to the disk as they come; where they lie is kept in RAM until the swap.
    """

    def __init__(self, directory: Path, connection: sqlite3.Connection, stamp: Stamp):
        self.segments: list[SegmentRow] = []
        self._directory, self._db, self._stamp = directory, connection, stamp
        self._first = next_id(connection, "segments")
        self._placed: dict[int, list[_Placed]] = {}

    def add(self, batch: Sequence[tuple[int, Sequence[NewDocument]]]) -> None:
        """Write one segment. `batch` holds source ids with their next documents, in order.

        Raises StoreError (no space, no permission) or ValueError (states that do not fit the stamp).
        """
        new = [(source_id, document) for source_id, documents in batch for document in documents]
        segment_id = self._first + len(self.segments)
        with told(self._directory):
            self.segments.append(
                segment.write_documents(
                    self._directory / SEGMENTS,
                    self._stamp.shape,
                    self._stamp.fingerprint,
                    segment_id,
                    [document.states for _, document in new],
                )
            )
        chunk = 0
        for source_id, document in new:
            n_tokens = document.states.n_tokens
            n_chunks = -(-n_tokens // self._stamp.shape.chunk_size)
            self._placed.setdefault(source_id, []).append(
                _Placed(document.start, document.end, document.title, n_tokens, n_chunks, segment_id, chunk)
            )
            chunk += n_chunks

    def swap(self) -> None:
        """Put the new rows in place of the old ones, inside the caller's transaction."""
        self._db.execute("INSERT INTO documents_fts (documents_fts) VALUES ('delete-all')")
        self._db.execute("DELETE FROM documents")
        self._db.execute("DELETE FROM segments")
        self._db.executemany(catalog.INSERT_SEGMENT, self.segments)
        next_document = next_id(self._db, "documents")
        for (source_id,) in self._db.execute("SELECT id FROM sources ORDER BY id").fetchall():
            placed = self._placed.get(source_id, [])
            self._source(source_id, placed, next_document)
            next_document += len(placed)
        for key, value in self._stamp.rows():
            set_meta(self._db, key, value)

    def _source(self, source_id: int, placed: list[_Placed], first: int) -> None:
        whole = text.read(self._db, source_id, 0, 1 << 62)
        content = Sizes.of(self._stamp.shape).content
        rows, indexed = [], []
        for ordinal, d in enumerate(placed):
            place = (d.segment_id, d.chunk_offset, d.chunk_offset * content)
            title = sql_text(d.title)
            rows.append((first + ordinal, source_id, ordinal, d.start, d.end, title, d.n_tokens, d.n_chunks, *place))
            indexed.append((first + ordinal, search.indexed(d.title), search.indexed(whole[d.start : d.end])))
        self._db.executemany(INSERT_DOCUMENT, rows)
        search.add(self._db, indexed)
        self._db.execute(
            "UPDATE sources SET n_tokens = ?, n_documents = ?, total_documents = ?, complete = 1 WHERE id = ?",
            (sum(d.n_tokens for d in placed), len(placed), len(placed), source_id),
        )
