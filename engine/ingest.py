"""Files -> documents -> states -> committed segments. Whatever happens, what was committed stays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import SourceError
from engine.results import FailedSource, IngestProgress, IngestReport
from engine.sources import Found, SourceText, content_hash, cut, discover, read_source
from engine.store import NewDocument, NewSource

if TYPE_CHECKING:
    from engine.model.interface import MemoryModel
    from engine.store import SourceRow, Store, Writer

# About 50,000 tokens: what a kill can cost, and enough to fill batches of like length.
COMMIT_CHARACTERS = 200_000
EMPTY = "empty"


@dataclass
class _Pending:
    """Sources cut but not yet encoded: (source, [(ordinal, start, end, title)])."""

    items: list[tuple[NewSource, list[tuple[int, int, int, str]]]] = field(default_factory=list)
    characters: int = 0


class Ingest:
    """One run over some roots. `model` encodes; `writer` holds the lock."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        model: MemoryModel,
        progress: Callable[[IngestProgress], None] | None = None,
    ):
        self.store, self.writer, self.model, self.progress = store, writer, model, progress
        self.report = IngestReport()
        self._pending = _Pending()
        self._stored = _by_path(store.sources())
        self._status = IngestProgress(0, 0, 0, 0, 0, "")
        self._gone: list[int] = []

    def run(self, roots: Sequence[Path], *, prune: bool = False, hidden: bool = False) -> IngestReport:
        began = time.perf_counter()
        with self._timed("discover"):
            discovery = discover(roots, hidden=hidden)
        self.report.skipped = list(discovery.skipped)
        total = sum(f.size for f in discovery.found)
        self._status = IngestProgress(0, len(discovery.found), 0, 0, total, "")
        for found in discovery.found:
            self._tell(current=found.name)
            self._file(found)
            self._tell(files_done=self._status.files_done + 1, bytes_done=self._status.bytes_done + found.size)
        self._flush()
        self._removed(roots, {f.path for f in discovery.found}, prune)
        with self._timed("store"):
            if self._gone:
                self.writer.forget(self._gone)
            self.writer.compact()
        self.report.seconds = time.perf_counter() - began
        return self.report

    def _file(self, found: Found) -> None:
        stored = self._stored.get(found.path, [])
        try:
            with self._timed("read"):
                digest = content_hash(found.path)
                if len(stored) == 1 and stored[0].record is None and _same(stored[0], digest):
                    self.report.unchanged += 1
                    return
                result = read_source(found.path)
        except SourceError as error:
            self.report.failed.append(FailedSource(error.path, error.reason))
            return
        for error in result.errors:
            left_out = self.report.skipped if error.reason == EMPTY else self.report.failed
            left_out.append(FailedSource(error.path, error.reason))
        known = {row.record: row for row in stored}
        for source in result.sources:
            self._source(found, source, digest, known.pop(source.record, None))
        if result.sources or not any(e.reason != EMPTY for e in result.errors):
            self._gone += [row.id for row in known.values()]

    def _source(self, found: Found, source: SourceText, digest: str, row: SourceRow | None) -> None:
        if source.record is not None:
            digest = blake2b(f"{source.title}\0{source.text}".encode(), digest_size=32).hexdigest()
        if row is not None and _same(row, digest):
            self.report.unchanged += 1
            if row.line != source.line:
                self.writer.touch(row.id, found.mtime_ns, found.size, source.line)
            return
        root, name = (row.root, row.name) if row else (str(found.root), found.name)
        with self._timed("cut"):
            spans = cut(source, name, self.model.count_tokens, self.model.max_text_tokens)
        if not spans:
            return
        # A source whose earlier ingest was cut short goes on where it stopped.
        resumed = row.n_documents if row is not None and row.content_hash == digest else 0
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
        self._add(new, [(i, s.start, s.end, s.title) for i, s in enumerate(spans)][resumed:])

    def _add(self, source: NewSource, documents: list[tuple[int, int, int, str]]) -> None:
        """Queue documents; a source larger than a commit is committed in several."""
        begin = 0
        for stop, (_, start, end, _) in enumerate(documents, 1):
            self._pending.characters += end - start
            if stop == len(documents) or self._pending.characters >= COMMIT_CHARACTERS:
                self._pending.items.append((source, documents[begin:stop]))
                begin = stop
            if self._pending.characters >= COMMIT_CHARACTERS:
                self._flush()

    def _flush(self) -> None:
        """Encode everything queued, batched by length across sources, and commit it."""
        items, self._pending = self._pending.items, _Pending()
        if not items:
            return
        inputs = [(title, source.text[a:b]) for source, documents in items for _, a, b, title in documents]
        with self._timed("encode"):
            states = iter(self.model.encode_documents(inputs))
        batch = [
            (source, [NewDocument(i, a, b, title, next(states)) for i, a, b, title in documents])
            for source, documents in items
        ]
        with self._timed("store"):
            self.writer.commit(batch)
        tokens = sum(d.states.n_tokens for _, documents in batch for d in documents)
        self.report.documents += len(inputs)
        self.report.tokens += tokens
        self._tell(tokens=self._status.tokens + tokens)

    def _removed(self, roots: Sequence[Path], found: set[Path], prune: bool) -> None:
        """Sources under the roots whose file is gone: reported, dropped when asked."""
        for path, rows in self._stored.items():
            under = any(path.is_relative_to(root.absolute()) for root in roots)
            if under and path not in found and not path.exists():
                if prune:
                    self._gone += [row.id for row in rows]
                    self.report.pruned += len(rows)
                else:
                    self.report.missing += [row.display for row in rows]

    def _tell(self, **changes: int | str) -> None:
        self._status = replace(self._status, **changes)
        if self.progress:
            self.progress(self._status)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            spent = self.report.timings_ms.get(stage, 0.0) + (time.perf_counter() - began) * 1000
            self.report.timings_ms[stage] = round(spent, 1)


def listing(roots: Sequence[Path], hidden: bool) -> IngestReport:
    """What an ingest would read."""
    discovery = discover(roots, hidden=hidden)
    return IngestReport(listed=[f.name for f in discovery.found], skipped=list(discovery.skipped))


def _by_path(rows: list[SourceRow]) -> dict[Path, list[SourceRow]]:
    stored: dict[Path, list[SourceRow]] = {}
    for row in rows:
        stored.setdefault(Path(row.root) / row.name, []).append(row)
    return stored


def _same(row: SourceRow, digest: str) -> bool:
    return bool(row.complete) and row.content_hash == digest
