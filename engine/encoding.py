"""Documents on their way into memory: queued across sources, encoded by like length, handed on in commits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from engine.results import IngestProgress, IngestReport
from engine.sources import DocumentSpan, SourceText, cut
from engine.store import NewDocument

if TYPE_CHECKING:
    from engine.model.interface import MemoryModel

# About 50,000 tokens: what a kill can cost, and enough to fill batches of like length.
COMMIT_CHARACTERS = 200_000

Owner = TypeVar("Owner")
Progress = Callable[[IngestProgress], None]


class Encoding(Generic[Owner]):
    """One run of encoding, its report and its progress.

    `commit` stores [(owner, documents)]; an owner is whatever it knows a source by.
    """

    def __init__(
        self,
        model: MemoryModel,
        commit: Callable[[list[tuple[Owner, list[NewDocument]]]], object],
        progress: Progress | None = None,
    ):
        self.model, self._commit, self._progress = model, commit, progress
        self.report = IngestReport()
        self._began = time.perf_counter()
        self._status = IngestProgress(0, 0, 0, 0, 0, "")
        self._queue: list[tuple[Owner, str, list[tuple[int, DocumentSpan]]]] = []
        self._queued = 0

    def expect(self, files: int, size: int) -> None:
        """Say how much is to be done."""
        self._tell(files_total=files, bytes_total=size)

    def begin(self, name: str) -> None:
        self._tell(current=name)

    def done(self, size: int) -> None:
        """The source begun last is read and queued."""
        self._tell(files_done=self._status.files_done + 1, bytes_done=self._status.bytes_done + size)

    def cut(self, source: SourceText, name: str) -> list[DocumentSpan]:
        with self.timed("cut"):
            return cut(source, name, self.model.count_tokens, self.model.max_text_tokens)

    def add(self, owner: Owner, text: str, spans: Sequence[DocumentSpan], first: int = 0) -> None:
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
        with self.timed("store"):
            self._commit(batch)
        tokens = sum(d.states.n_tokens for _, documents in batch for d in documents)
        self.report.documents += len(inputs)
        self.report.tokens += tokens
        self._tell(tokens=self._status.tokens + tokens)

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

    def _tell(self, **changes: int | str) -> None:
        self._status = replace(self._status, **changes)  # type: ignore[arg-type]
        if self._progress:
            self._progress(self._status)
