"""Files -> documents -> states -> committed segments. Whatever happens, what was committed stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from engine.encoding import Encoding
from engine.errors import SourceError
from engine.known import Known
from engine.reading import FileRead, FileTask, Readers
from engine.results import FailedSource, IngestProgress, IngestReport
from engine.sources import DocumentSpan, Found, SourceText, discover
from engine.store import NewSource

if TYPE_CHECKING:
    from engine.model.interface import MemoryModel
    from engine.store import SourceRow, Store, Writer

EMPTY = "empty"


class Ingest:
    """One run over some roots. `model` encodes; `writer` holds the lock."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        model: MemoryModel,
        progress: Callable[[IngestProgress], None] | None = None,
        readers: int = 0,
    ):
        self.writer = writer
        self.readers = Readers(readers, model.count_tokens, model.max_text_tokens)
        self.encoding: Encoding[NewSource] = Encoding(model, writer.commit, progress)
        self.report = self.encoding.report
        self._known = Known(store)
        self._gone: list[int] = []

    def run(
        self, roots: Sequence[Path], *, prune: bool = False, hidden: bool = False, part: tuple[int, int] = (0, 1)
    ) -> IngestReport:
        """`part` says which of how many shards this memory is: it takes the files whose path falls to it."""
        with self.encoding, self.readers:
            return self._run(roots, prune, hidden, part)

    def _run(self, roots: Sequence[Path], prune: bool, hidden: bool, part: tuple[int, int]) -> IngestReport:
        with self.encoding.timed("discover"):
            discovery = discover(roots, hidden=hidden)
        self.report.skipped = list(discovery.skipped)
        mine = [f for f in discovery.found if crc32(os.fsencode(f.name)) % part[1] == part[0]]
        self.encoding.expect(len(mine), sum(f.size for f in mine))
        for found, read in self.encoding.waited("read", zip(mine, self.readers.read(map(self._task, mine)))):
            self.encoding.begin(found.name)
            self._file(found, read)
            self.encoding.done(found.size)
        self.encoding.flush()
        self.encoding.settle()
        self._removed(roots, prune)
        with self.encoding.timed("store"):
            if self._gone:
                self.writer.forget(self._gone)
            self.writer.compact()
        return self.encoding.finish()

    def _task(self, found: Found) -> FileTask:
        path = found.path
        rows = self._known.some(path, 2)
        whole = len(rows) == 1 and rows[0].record is None and rows[0].complete
        return FileTask(path, rows[0].name if rows else found.name, found.size, rows[0].content_hash if whole else None)

    def _file(self, found: Found, read: FileRead) -> None:
        if read.unchanged:
            self.report.unchanged += 1
            return
        seen: set[int] = set()
        empty, failed = True, read.failed
        try:
            for source, spans in self.encoding.waited("read", read.sources):
                row = self._known.source(found.path, source.record)
                if row is not None and row.id in seen:
                    row = None
                seen.update([row.id] if row else [])
                self._source(found, source, spans, read.digest, row)
                self.encoding.advance(min(len(source.text), found.size))
                empty = False
        except SourceError as error:
            failed = error
        for error in [*read.errors, *([failed] if failed else [])]:
            left_out = self.report.skipped if error.reason == EMPTY else self.report.failed
            left_out.append(FailedSource(error.path, error.reason))
        if failed is None and (not empty or all(e.reason == EMPTY for e in read.errors)):
            self._gone += [i for i in self._known.ids(found.path) if i not in seen]

    def _source(
        self, found: Found, source: SourceText, spans: list[DocumentSpan] | None, digest: str, row: SourceRow | None
    ) -> None:
        if source.record is not None:
            digest = blake2b(f"{source.title}\0{source.text}".encode(), digest_size=32).hexdigest()
        if row is not None and _same(row, digest):
            self.report.unchanged += 1
            if row.line != source.line:
                self.encoding.settle()
                self.writer.touch(row.id, found.mtime_ns, found.size, source.line)
            return
        root, name = (row.root, row.name) if row else (str(found.root), found.name)
        spans = self.encoding.cut(source, name) if spans is None else spans
        if not spans:
            return
        # A source whose earlier ingest was cut short goes on where it stopped.
        part = row is not None and row.content_hash == digest and row.total_documents == len(spans)
        resumed = row.n_documents if row is not None and part else 0
        if row is None or resumed:
            self.report.added += 1
        else:
            self.report.changed += 1
        new = NewSource(
            root=root,
            name=name,
            record=source.record,
            kind=source.kind,
            title=source.title,
            content_hash=digest,
            size=found.size,
            mtime_ns=found.mtime_ns,
            text=source.text,
            total_documents=len(spans),
            page_starts=source.page_starts,
            line=source.line,
        )
        self.encoding.add(new, source.text, spans, resumed)

    def _removed(self, roots: Sequence[Path], prune: bool) -> None:
        """Sources under the roots whose file is gone: reported, dropped when asked."""
        folders = [os.path.abspath(root) for root in roots]
        for path in self._known.paths():
            if any(path.is_relative_to(folder) for folder in folders) and _is_gone(path):
                if prune:
                    ids = self._known.ids(path)
                    self._gone += ids
                    self.report.pruned += len(ids)
                else:
                    self.report.missing += [row.display for row in self._known.some(path)]


def listing(roots: Sequence[Path], hidden: bool) -> IngestReport:
    """What an ingest would read."""
    discovery = discover(roots, hidden=hidden)
    return IngestReport(listed=[f.name for f in discovery.found], skipped=list(discovery.skipped))


def _same(row: SourceRow, digest: str) -> bool:
    return bool(row.complete) and row.content_hash == digest


def _is_gone(path: Path) -> bool:
    """Whether there is no such file. One that cannot be looked at (no permission, a share that is away) is not gone."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False
