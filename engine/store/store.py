"""A memory on disk: create it, open it, read its catalog and text, and get the writer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ModelMismatchError, StoreError
from engine.model.states import StateShape
from engine.store import catalog, search, text
from engine.store.catalog import CATALOG, SEGMENTS, sql_text
from engine.store.entry import find_identity
from engine.store.errors import told
from engine.store.footprint import footprint
from engine.store.records import DocumentRow, SourceRow
from engine.store.segment import Segment, sync_directory
from engine.store.stamp import Stamp
from engine.store.writer import Writer, open_writer

if TYPE_CHECKING:
    from torch import Tensor

    from engine.store.shared_bm25 import Counts


_OF_FILE = "root = CAST(? AS TEXT) AND name = CAST(? AS TEXT) AND id <= ?"


class Store:
    """An open memory. Reading needs no lock and goes on while another process writes.

    Methods raise StoreError (StoreCorruptError for damage); rows are those of `engine.store.records`.
    """

    def __init__(self, directory: Path, connection: sqlite3.Connection, meta: dict[str, str]):
        self.directory = directory
        self._db = connection
        self.stamp = Stamp.of(meta, directory)
        self._opened: dict[int, Segment] = {}

    @property
    def model_name(self) -> str:
        return self.stamp.model_name

    @property
    def fingerprint(self) -> str:
        return self.stamp.fingerprint

    @property
    def shape(self) -> StateShape:
        return self.stamp.shape

    @classmethod
    def create(cls, directory: Path | str, model_name: str, fingerprint: str, shape: StateShape) -> Store:
        """Make an empty memory, stamped with the model that will encode it. Raises StoreError if there is one."""
        from engine.store.lock import writer_lock
        from engine.store.schema import migrate

        directory = Path(directory)
        with told(directory):
            (directory / SEGMENTS).mkdir(parents=True, exist_ok=True)
            # A memory inside a folder that is ingested is not part of it.
            (directory / ".msaignore").write_text("*\n")
            with writer_lock(directory, 0.0):
                if (directory / CATALOG).exists():
                    raise StoreError(f"There is already a memory at {directory}.")
                # Built under another name: a catalog that exists is always whole.
                draft = directory / f"{CATALOG}.new"
                for leftover in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm")):
                    leftover.unlink(missing_ok=True)
                connection = catalog.writer(draft, create=True)
                try:
                    migrate(connection)
                    with catalog.transaction(connection):
                        for key, value in (
                            ("schema_version", str(catalog.SCHEMA_VERSION)),
                            *Stamp(model_name, fingerprint, shape).rows(),
                            ("created", datetime.now(timezone.utc).isoformat(timespec="seconds")),
                            ("version", "0"),
                        ):
                            catalog.set_meta(connection, key, value)
                finally:
                    connection.close()
                draft.rename(directory / CATALOG)
                sync_directory(directory)
        return cls.open(directory)

    @classmethod
    def open(cls, directory: Path | str) -> Store:
        """Open a memory. Raises NoMemoryError if there is none, StoreCorruptError if its catalog is not one."""
        directory = Path(directory)
        with told(directory):
            connection = catalog.reader(directory)
            try:
                return cls(directory, connection, catalog.read_meta(connection, directory))
            except BaseException:
                connection.close()
                raise

    def close(self) -> None:
        self._opened.clear()
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def refresh(self) -> None:
        """Take over the present stamp: another process may have encoded the memory anew."""
        with told(self.directory):
            self.stamp = Stamp.of(catalog.read_meta(self._db, self.directory), self.directory)

    def check_model(self, fingerprint: str, name: str) -> None:
        """Raises ModelMismatchError unless the memory is encoded by the model with this fingerprint."""
        self.refresh()
        if fingerprint != self.fingerprint:
            raise ModelMismatchError(
                f"{self.directory} was encoded by the model {self.model_name} ({self.fingerprint[:12]}), not by {name} "
                f"({fingerprint[:12]}); run `msa rebuild` to encode it again with {name}."
            )

    def writer(self, wait: float = 0.0) -> AbstractContextManager[Writer]:
        """The writer lock and the `Writer` behind it; waits up to `wait` seconds, then StoreLockedError."""
        return open_writer(self.directory, wait)

    def version(self) -> int:
        """A number that grows with every change; what was loaded under another version is out of date."""
        return int(self._rows("SELECT value FROM meta WHERE key = 'version'")[0][0])

    def sources(self) -> list[SourceRow]:
        """All sources, by display name."""
        return self._sources("ORDER BY display")

    def source(self, source_id: int) -> SourceRow | None:
        return next(iter(self._sources("WHERE id = ?", source_id)), None)

    def source_by_identity(self, root: str, name: str, record: str | None) -> SourceRow | None:
        with told(self.directory):
            return find_identity(self._db, root, name, record)

    def newest_source(self) -> int:
        """The greatest id of a source; 0 if there is none."""
        return self._rows("SELECT ifnull(max(id), 0) FROM sources")[0][0]

    def roots(self) -> list[str]:
        """The folders that sources were found under."""
        return [row[0] for row in self._rows("SELECT DISTINCT root FROM sources")]

    def sources_of(self, root: str, name: str, newest: int, most: int) -> list[SourceRow]:
        """At most so many sources of a file, by display name, none with an id above `newest`."""
        where = f"WHERE {_OF_FILE} ORDER BY display LIMIT ?"
        return self._sources(where, sql_text(root), sql_text(name), newest, most)

    def source_ids(self, root: str, name: str, newest: int) -> list[int]:
        """Ids of all sources of a file, none above `newest`."""
        rows = self._rows(f"SELECT id FROM sources WHERE {_OF_FILE}", sql_text(root), sql_text(name), newest)
        return [row[0] for row in rows]

    def places(self, newest: int) -> Iterator[tuple[str, str]]:
        """(root, name) of every file that a source with an id of at most `newest` comes from, one at a time."""
        with told(self.directory):
            yield from self._db.execute("SELECT DISTINCT root, name FROM sources WHERE id <= ?", (newest,))

    def find(self, name_or_id: str) -> list[SourceRow]:
        """Sources meant by a display name, else a file's visible path (all its records), else an id, else an
        absolute path with or without `#record`. Empty if nothing matches."""
        bound = sql_text(name_or_id)
        for column in ("display", "source"):
            if rows := self._sources(f"WHERE {column} = CAST(? AS TEXT) ORDER BY id", bound):
                return rows
        if name_or_id.isdecimal() and len(name_or_id) < 19:
            return self._sources("WHERE id = ?", int(name_or_id))
        if not Path(name_or_id).is_absolute():
            return []
        path = "rtrim(root, '/') || '/' || name"
        for found in (path, f"{path} || '#' || record"):
            if rows := self._sources(f"WHERE {found} = CAST(? AS TEXT) ORDER BY id", bound):
                return rows
        return []

    def documents(self, ids: list[int]) -> list[DocumentRow]:
        """Documents by id, in the order asked for; ids that are not there are left out."""
        rows = self._documents("WHERE d.id IN (SELECT value FROM json_each(?))", json.dumps(list(ids)))
        by_id = {row.id: row for row in rows}
        return [by_id[document_id] for document_id in ids if document_id in by_id]

    def earlier(self, document: int, steps: int) -> int:
        """The id that the document so many places before one has, if both are of one source."""
        return document - steps

    def source_documents(self, source_id: int) -> list[DocumentRow]:
        """A source's documents in order."""
        return self._documents("WHERE d.source_id = ? ORDER BY d.ordinal", source_id)

    def all_document_ids(self) -> list[int]:
        return [row[0] for row in self._rows("SELECT id FROM documents ORDER BY id")]

    def text(self, source_id: int, start: int = 0, end: int = 1 << 62) -> str:
        """Characters [start, end) of a source's text, clamped to its ends."""
        with told(self.directory):
            return text.read(self._db, source_id, start, end)

    def document_text(self, document_id: int) -> str:
        """A document's own slice of its source's text; empty if there is no such document."""
        rows = self._rows('SELECT source_id, start, "end" FROM documents WHERE id = ?', document_id)
        return self.text(*rows[0]) if rows else ""

    def line_range(self, source_id: int, start: int, end: int) -> tuple[int, int]:
        """1-based first and last line of characters [start, end); a .jsonl record lies on one line of its file."""
        rows = self._rows("SELECT line FROM sources WHERE id = ?", source_id)
        if rows and rows[0][0] is not None:
            return rows[0][0], rows[0][0]
        with told(self.directory):
            first = text.line_of(self._db, source_id, start)
            return first, max(first, text.line_of(self._db, source_id, end - 1))

    def search_text(self, query: str, k: int, phrases: bool = True) -> list[tuple[int, float]]:
        """The k documents that match the words of `query` best: (document id, BM25 score, more is better)."""
        with told(self.directory):
            return search.search(self._db, query, k, phrases)

    def word_counts(self, terms: Sequence[str]) -> Counts:
        """How many documents and words the index holds, and how many documents hold each term (`shared_bm25`)."""
        from engine.store import shared_bm25

        with told(self.directory):
            return shared_bm25.counts(self._db, terms)

    def pooled_kv(self, document_ids: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Content keys and values of documents, in the order asked: float32 [L, C, G, D] each (`tiers`)."""
        from engine.store.tiers import fetch_pooled_kv

        return fetch_pooled_kv(self, document_ids)

    def footprint(self) -> dict[str, Any]:
        """What the memory costs: fields of `engine.results.Footprint` except model, device and projections."""
        self.refresh()
        with told(self.directory):
            return footprint(self._db, self.directory)

    def verify(self) -> list[str]:
        """Everything that does not hold, one sentence each; empty for a sound memory."""
        from engine.store.verify import verify

        self.refresh()
        return verify(self)

    def content_places(self, document_ids: Iterable[int]) -> list[tuple[int, int, int, int, str]]:
        """(document, chunks, kv offset, segment, file name) of documents, in the order they lie on the disk."""
        return self._rows(
            "SELECT d.id, d.n_chunks, d.kv_offset, g.id, g.file FROM documents d "
            "JOIN segments g ON g.id = d.segment_id "
            "WHERE d.id IN (SELECT value FROM json_each(?)) ORDER BY g.id, d.kv_offset",
            json.dumps(list(document_ids)),
        )

    def segment(self, segment_id: int, file: str) -> Segment:
        """An open segment, kept open. Raises SegmentGoneError if a writer has rewritten it meanwhile."""
        opened = self._opened.get(segment_id)
        if opened is None:
            with told(self.directory):
                opened = self._opened[segment_id] = Segment(self.directory / SEGMENTS / file, self.shape)
        return opened

    def keep_segments(self, ids: set[int]) -> None:
        """Let go of open segments other than these, so that the space of rewritten ones is freed."""
        for segment_id in set(self._opened) - ids:
            with suppress(KeyError):
                del self._opened[segment_id]

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with told(self.directory):
            return self._db.execute(sql, values).fetchall()

    def _sources(self, where: str, *values: object) -> list[SourceRow]:
        rows = self._rows(f"SELECT {catalog.SOURCE_COLUMNS} FROM sources {where}", *values)
        return [SourceRow._make(row) for row in rows]

    def _documents(self, where: str, *values: object) -> list[DocumentRow]:
        return [DocumentRow._make(row) for row in self._rows(f"{catalog.DOCUMENT_SELECT} {where}", *values)]
