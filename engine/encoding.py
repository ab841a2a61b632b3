"""Documents on their way into memory: queued across sources, encoded by like length, handed on in commits.

A commit is quantised and written in a thread of its own while the next documents are encoded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from engine.results import IngestProgress, IngestReport
from engine.sources import DocumentSpan, SourceText, cut
from engine.store import NewDocument

if TYPE_CHECKING:
    from engine.model.interface import MemoryModel
    from engine.sources.long_text import LongText

# About 50,000 tokens: what a kill can cost, and enough to fill batches of like length.
COMMIT_CHARACTERS = 200_000

Owner = TypeVar("Owner")
Item = TypeVar("Item")
Batch: TypeAlias = list[tuple[Owner, list[NewDocument]]]
Progress = Callable[[IngestProgress], None]
_END = object()


class Encoding(Generic[Owner]):
    """One run of encoding, its report and its progress.

    `commit` stores [(owner, documents)]; an owner is whatever it knows a source by. Use as a context manager: a
    commit under way is waited for. What a commit raises comes from the call after it, at the latest from `settle`.
    """

    def __init__(
        self,
        model: MemoryModel,
        commit: Callable[[Batch[Owner]], object],
        progress: Progress | None = None,
    ):
        self.model, self._commit, self._progress = model, commit, progress
        self.report = IngestReport()
        self._began = time.perf_counter()
        self._status = IngestProgress(0, 0, 0, 0, 0, "")
        self._queue: list[tuple[Owner, str | LongText, list[tuple[int, DocumentSpan]]]] = []
        self._queued = self._advanced = 0
        self._storing = ThreadPoolExecutor(1, "store")
        self._pending: tuple[Batch[Owner], Future[None]] | None = None

    def __enter__(self) -> Encoding[Owner]:
        return self

    def __exit__(self, *exc: object) -> None:
        self._storing.shutdown()

    def expect(self, files: int, size: int) -> None:
        """Say how much is to be done."""
        self._tell(files_total=files, bytes_total=size)

    def begin(self, name: str) -> None:
        self._advanced = 0
        self._tell(current=name)

    def advance(self, size: int) -> None:
        """So much more of the source begun last is read and queued."""
        self._advanced += size
        self._tell(bytes_done=self._status.bytes_done + size)

    def done(self, size: int) -> None:
        """The source begun last, of `size` bytes, is read and queued."""
        left = size - self._advanced
        self._tell(files_done=self._status.files_done + 1, bytes_done=self._status.bytes_done + left)

    def cut(self, source: SourceText, name: str) -> list[DocumentSpan]:
        with self.timed("cut"):
            return cut(source, name, self.model.count_tokens, self.model.max_text_tokens)

    def add(self, owner: Owner, text: str | LongText, spans: Sequence[DocumentSpan], first: int = 0) -> None:
        """Queue the documents of a source from ordinal `first` on; one larger than a commit goes in several."""
        begin = first
        for stop in range(first + 1, len(spans) + 1):
            self._queued += spans[stop - 1].end - spans[stop - 1].start
            full = self._queued >= COMMIT_CHARACTERS
            if full or stop == len(spans):
                self._queue.append((owner, text, list(enumerate(spans[begin:stop], begin))))
                begin = stop
            if full:
                self.flush()

    def flush(self) -> None:
        """Encode and commit everything queued."""
        queue, self._queue, self._queued = self._queue, [], 0
        if not queue:
            return
        inputs = [(span.title, text[span.start : span.end]) for _, text, spans in queue for _, span in spans]
        with self.timed("encode"):
            states = iter(self.model.encode_documents(inputs))
        batch = [
            (owner, [NewDocument(i, span.start, span.end, span.title, next(states)) for i, span in spans])
            for owner, _, spans in queue
        ]
        self.settle()
        self._pending = batch, self._storing.submit(self._store, batch)

    def settle(self) -> None:
        """Wait for the commit under way. Raises what it raised."""
        if self._pending is None:
            return
        (batch, stored), self._pending = self._pending, None
        stored.result()
        tokens = sum(d.states.n_tokens for _, documents in batch for d in documents)
        self.report.documents += sum(len(documents) for _, documents in batch)
        self.report.tokens += tokens
        self._tell(tokens=self._status.tokens + tokens)

    def _store(self, batch: Batch[Owner]) -> None:
        with self.timed("store"):
            self._commit(batch)

    def finish(self) -> IngestReport:
        self.report.seconds = time.perf_counter() - self._began
        return self.report

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            spent = self.report.timings_ms.get(stage, 0.0) + (time.perf_counter() - began) * 1000
            self.report.timings_ms[stage] = round(spent, 1)

    def waited(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """The items, the wait for each of them timed as `stage`."""
        coming = iter(items)
        while True:
            with self.timed(stage):
                item = next(coming, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]

    def _tell(self, **changes: int | str) -> None:
        self._status = replace(self._status, **changes)  # type: ignore[arg-type]
        if self._progress:
            self._progress(self._status)
