"""The one writer: makes segments, sources, documents, text and index rows visible together, or not at all.

The protocol of every change: write the new segment files (temporary name, fsync, rename), then one SQLite
transaction that names them, then unlink the files it no longer names. A kill in between leaves files that the
catalog does not name; the next writer removes them.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import StoreError
from engine.model.states import StateShape
from engine.results import Forgotten
from engine.store import catalog, rewrite, segment
from engine.store.catalog import CATALOG, SEGMENTS, bump_version, next_id, set_meta, transaction
from engine.store.entry import Batch, Entry, remove_content
from engine.store.errors import told
from engine.store.lock import writer_lock
from engine.store.records import NewDocument, SegmentRow
from engine.store.rewrite import Rewritten
from engine.store.stamp import Stamp

if TYPE_CHECKING:
    from engine.store.reencode import Reencoding

OURS = re.compile(r"\d+\.safetensors(\.tmp)?")
SCRUB = "scrub"


@contextmanager
def open_writer(directory: Path, wait: float) -> Iterator[Writer]:
    """Hold the writer lock of a memory and clear away what a killed writer left."""
    with writer_lock(directory, wait):
        with told(directory):
            connection = catalog.writer(directory / CATALOG)
        try:
            with told(directory):
                # Read under the lock: while we waited for it the memory may have been encoded anew.
                writer = Writer(directory, connection, Stamp.of(catalog.read_meta(connection, directory), directory))
                writer.recover()
            yield writer
        finally:
            connection.close()


class Writer:
    """Changes to a memory; comes from `Store.writer()`. Every method either happens whole or not at all."""

    def __init__(self, directory: Path, connection: sqlite3.Connection, stamp: Stamp):
        self.directory = directory
        self._stamp = stamp
        self._db = connection
        self._segments = directory / SEGMENTS

    @property
    def shape(self) -> StateShape:
        return self._stamp.shape

    def recover(self) -> None:
        """Finish what a killed writer began: migrations, files nobody names, traces of what was forgotten."""
        meta = catalog.read_meta(self._db, self.directory)
        if int(meta["schema_version"]) < catalog.SCHEMA_VERSION:
            from engine.store.schema import migrate

            migrate(self._db)
            set_meta(self._db, "schema_version", str(catalog.SCHEMA_VERSION))
        self._segments.mkdir(exist_ok=True)
        named = {row.file for row in self._segment_rows()}
        for path in self._segments.iterdir():
            if OURS.fullmatch(path.name) and path.name not in named:
                path.unlink()
        if SCRUB in meta:
            self._scrub()

    def commit(self, batch: Batch) -> list[int]:
        """Store sources with their encoded documents; returns the ids of the sources, in order.

        A source whose documents start at ordinal 0 is new or replaces what its identity held before; otherwise they
        continue, without a gap, what an earlier commit stored under the same `content_hash`. One segment file, one
        transaction. Raises StoreError (no space, no permission) or ValueError (states or spans that do not fit).
        """
        with told(self.directory):
            row = self._write_segment([document for _, documents in batch for document in documents])
            try:
                with transaction(self._db):
                    if row is not None:
                        self._db.execute(catalog.INSERT_SEGMENT, row)
                    ids = Entry(self._db, self.shape, row).enter(batch)
                    bump_version(self._db)
            except BaseException:
                self._discard([] if row is None else [row])
                raise
        return ids

    @contextmanager
    def reencoding(self, stamp: Stamp) -> Iterator[Reencoding]:
        """Give every source new documents, encoded under `stamp`.

        When the block ends they take the place of the old ones in one transaction; when it raises nothing changes.
        """
        from engine.store.reencode import Reencoding

        new = Reencoding(self.directory, self._db, stamp)
        try:
            yield new
            with told(self.directory):
                old = self._segment_rows()
                with transaction(self._db):
                    new.swap()
                    bump_version(self._db)
        except BaseException:
            self._discard(new.segments)
            raise
        self._stamp = stamp
        with told(self.directory):
            self._unlink(old)

    def touch(self, source_id: int, mtime_ns: int, size: int, line: int | None = None) -> None:
        """Note that an unchanged source has another time stamp, size, or (a record) line in its file."""
        with told(self.directory), transaction(self._db):
            self._db.execute(
                "UPDATE sources SET mtime_ns = ?, size = ?, line = ifnull(?, line) WHERE id = ?",
                (mtime_ns, size, line, source_id),
            )

    def forget(self, source_ids: Iterable[int]) -> Forgotten:
        """Remove sources for good: when this returns, neither text, terms nor states are in the memory's files.

        Ids that are not there are passed over. Also drops the states of versions replaced earlier.
        Raises StoreError; if that is because a reader never lets go, the sources are removed and the next writer
        clears the last traces.
        """
        with told(self.directory):
            gone = json.dumps(list(source_ids))
            sources = self._db.execute(
                "SELECT id, display, n_documents, n_tokens FROM sources WHERE id IN (SELECT value FROM json_each(?))",
                (gone,),
            ).fetchall()
            if not sources:
                return Forgotten([], 0, 0)
            gone = json.dumps([row[0] for row in sources])
            old = self._touched(gone)
            doomed = {row[0] for row in self._select_documents("id", gone)}
            new: list[Rewritten] = []
            try:
                first = next_id(self._db, "segments")
                for row in old:
                    kept = [held for held in rewrite.held_documents(self._db, [row.id]) if held.id not in doomed]
                    if kept:
                        new.append(self._rewrite(first + len(new), kept, [row]))
                with transaction(self._db):
                    for source_id, *_ in sources:
                        remove_content(self._db, source_id)
                    self._swap(old, new)
                    self._db.execute("DELETE FROM sources WHERE id IN (SELECT value FROM json_each(?))", (gone,))
                    set_meta(self._db, SCRUB, "1")
                    bump_version(self._db)
            except BaseException:
                self._discard([made.row for made in new])
                raise
            self._unlink(old)
            self._scrub()
        return Forgotten([row[1] for row in sources], sum(row[2] for row in sources), sum(row[3] for row in sources))

    def compact(self) -> None:
        """Rewrite segments that hold states of replaced sources and merge small ones once they are many."""
        with told(self.directory):
            rows = rewrite.segments_in_order(self._db)
            for group in rewrite.plan_compaction(rows, rewrite.with_dead_chunks(self._db)):
                held = rewrite.held_documents(self._db, [row.id for row in group])
                new = [self._rewrite(next_id(self._db, "segments"), held, group)] if held else []
                try:
                    with transaction(self._db):
                        self._swap(group, new)
                        bump_version(self._db)
                except BaseException:
                    self._discard([made.row for made in new])
                    raise
                self._unlink(group)

    def _write_segment(self, documents: list[NewDocument]) -> SegmentRow | None:
        if not documents:
            return None
        states = [document.states for document in documents]
        segment_id = next_id(self._db, "segments")
        return segment.write_documents(self._segments, self.shape, self._stamp.fingerprint, segment_id, states)

    def _rewrite(self, segment_id: int, held: list[rewrite.Held], old: list[SegmentRow]) -> Rewritten:
        rows = {row.id: row for row in old}
        return rewrite.rewrite(self._segments, self.shape, self._stamp.fingerprint, segment_id, held, rows)

    def _swap(self, old: list[SegmentRow], new: list[Rewritten]) -> None:
        self._db.executemany(catalog.INSERT_SEGMENT, [made.row for made in new])
        for made in new:
            self._db.executemany(
                "UPDATE documents SET segment_id = ?, chunk_offset = ?, kv_offset = ? WHERE id = ?", made.places
            )
        self._db.executemany("DELETE FROM segments WHERE id = ?", [(row.id,) for row in old])

    def _touched(self, gone: str) -> list[SegmentRow]:
        touched = {row[0] for row in self._select_documents("DISTINCT segment_id", gone)}
        touched |= rewrite.with_dead_chunks(self._db)
        return [row for row in self._segment_rows() if row.id in touched]

    def _select_documents(self, columns: str, source_ids: str) -> list[tuple[int, ...]]:
        return self._db.execute(
            f"SELECT {columns} FROM documents WHERE source_id IN (SELECT value FROM json_each(?))", (source_ids,)
        ).fetchall()

    def _segment_rows(self) -> list[SegmentRow]:
        return [SegmentRow._make(row) for row in self._db.execute(catalog.SEGMENT_SELECT).fetchall()]

    def _unlink(self, rows: list[SegmentRow]) -> None:
        for row in rows:
            (self._segments / row.file).unlink(missing_ok=True)
        segment.sync_directory(self._segments)

    def _discard(self, rows: list[SegmentRow]) -> None:
        """Remove files of a change that failed, unless its COMMIT took effect although it reported an error."""
        with suppress(OSError, sqlite3.Error):
            named = {row.file for row in self._segment_rows()}
            self._unlink([row for row in rows if row.file not in named])

    def _scrub(self) -> None:
        """Make deleted text and terms unreadable in the catalog's files.

        'optimize' merges the index, which drops deleted terms; VACUUM writes every page anew, because pages that were
        once split keep copies of moved rows in their unused part even with secure_delete; the checkpoint empties the
        WAL. The mark goes last, so that a kill in between makes the next writer start over.
        """
        self._db.execute("INSERT INTO documents_fts (documents_fts) VALUES ('optimize')")
        self._db.execute("VACUUM")
        self._checkpoint()
        set_meta(self._db, SCRUB, None)
        self._checkpoint()

    def _checkpoint(self) -> None:
        busy, *_ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreError(
                f"{self.directory}: another process keeps reading the old catalog; what was forgotten is removed, "
                "and its last traces go when the memory is next written to."
            )
