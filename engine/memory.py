"""Memory: the one facade. Opening is cheap; the model and torch come in when a text must be encoded."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine.errors import MsaError, NoMemoryError
from engine.places import bundled_model, store_directory, world_size
from engine.results import (
    Answer,
    Footprint,
    Forgotten,
    Hop,
    IngestProgress,
    IngestReport,
    Recall,
    SourceInfo,
    Verification,
)
from engine.store import SourceRow, Store
from engine.store.budget import Budget

if TYPE_CHECKING:
    from engine.asking import Asker
    from engine.model.interface import MemoryModel

Progress = Callable[[IngestProgress], None]
Result = TypeVar("Result")
logger = logging.getLogger(__name__)


class Memory:
    """A memory directory and the model that reads it.

    Every method raises MsaError (a subclass names the cause) for what a user can mend. Use as a context manager.
    """

    def __init__(
        self, directory: Path, store: Store | None, model_folder: Path, device: str | None, budget: Budget = Budget()
    ):
        self.store_dir = directory
        self._store = store
        self._model_folder = model_folder
        self._device = device
        self._budget = budget
        self._model: MemoryModel | None = None
        self._asker: Asker | None = None

    @classmethod
    def open(
        cls,
        directory: Path | str | None = None,
        *,
        model: Path | str | None = None,
        device: str | None = None,
        create: bool = False,
        gpu_budget: int | None = None,
        ram_budget: int | None = None,
    ) -> Memory:
        """Open the memory at `directory` (default: MSA_STORE, a `.msa` found upward, the user's data directory).

        With `create`, a place without a memory will do; nothing is written before the first ingest.
        `model` is a checkpoint folder (default: the bundled model); `device` is cpu or cuda (default: what is there).
        The budgets are bytes that router keys may take (default: a share of what is free); what fits neither is read
        from the disk as it is scanned.
        Under `torchrun` the memory is in shards, one a process: use it on rank 0, call `serve` on the others.
        Raises NoMemoryError.
        """
        place = store_directory(directory)
        folder, budget = Path(model) if model else bundled_model(), Budget(gpu_budget, ram_budget)
        if world_size() > 1:
            from engine.parallel.memory import ParallelMemory
            from engine.parallel.ranks import Ranks

            return ParallelMemory(place, folder, device, budget, Ranks())
        store = None
        try:
            store = Store.open(place)
        except NoMemoryError:
            if not create:
                raise
        return cls(place, store, folder, device, budget)

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def helper(self) -> bool:
        """Whether this process only serves another one (under `torchrun`, ranks other than 0)."""
        return False

    def serve(self) -> None:
        """Serve rank 0 until it is done; nothing to do for a memory in one process."""

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
            self._asker = None

    def ingest(
        self,
        paths: Sequence[Path | str],
        *,
        prune: bool = False,
        dry_run: bool = False,
        hidden: bool = False,
        wait: float = 0.0,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Read files and folders into memory. Files that cannot be read are in `report.failed`; the rest goes in.

        Unchanged sources are skipped, changed ones replaced. Sources under the given roots that are gone from the
        disk are in `report.missing`, or dropped with `prune`. `wait` seconds for another writer, then StoreLockedError.
        """
        from engine.ingest import listing

        roots = [Path(p) for p in paths]
        if not roots:
            raise MsaError("Nothing to ingest: name a file or a folder.")
        if dry_run:
            return listing(roots, hidden)
        return self.ingest_part(roots, prune=prune, hidden=hidden, wait=wait, progress=progress)

    def ingest_part(
        self,
        roots: Sequence[Path],
        *,
        prune: bool,
        hidden: bool,
        wait: float,
        progress: Progress | None = None,
        part: tuple[int, int] = (0, 1),
    ) -> IngestReport:
        """`ingest`, but only of the files that fall to `part`: which of how many shards this memory is."""
        for root in roots:
            if not os.path.exists(root):
                raise MsaError(f"{root}: no such file or folder")
        return self._with_room(lambda: self._ingest(roots, prune, hidden, wait, progress, part))

    def _ingest(
        self, roots: Sequence[Path], prune: bool, hidden: bool, wait: float, progress: Progress | None, part: tuple[int, int]
    ) -> IngestReport:
        from engine.ingest import Ingest

        model = self._loaded()
        try:
            store = self._open()
        except NoMemoryError:
            store = self._store = Store.create(
                self.store_dir, model.name, model.fingerprint, model.config.state_shape
            )
        store.check_model(model.fingerprint, model.name)
        with store.writer(wait) as writer:
            # Another process may have rebuilt the memory while we waited.
            store.check_model(model.fingerprint, model.name)
            ingest = Ingest(store, writer, model, progress, _readers(model))
            return ingest.run(roots, prune=prune, hidden=hidden, part=part)

    def ask(
        self,
        question: str,
        *,
        top_k: int | None = None,
        max_hops: int | None = None,
        on_hop: Callable[[Hop], None] | None = None,
    ) -> Answer:
        """Answer from memory, with citations; `found` is False when memory does not hold it."""
        return self._with_room(lambda: self._asking().ask(_asked(question), top_k, max_hops, on_hop))

    def recall(self, question: str, k: int = 10, *, max_hops: int = 1) -> Recall:
        """The k documents the router chooses; with more hops it routes again with the best one's text."""
        return self._with_room(lambda: self._asking().recall(_asked(question), k, max_hops))

    def find(self, name: str) -> list[SourceInfo]:
        """Sources that a name means: as `sources` prints it, an id, or a path. Empty when there is none."""
        return [_info(row) for row in self._open().find(name)]

    def forget(self, name: str | int, *, wait: float = 0.0) -> Forgotten:
        """Remove a source: when this returns neither its text nor its states are on the disk."""
        store = self._open()
        rows = store.find(str(name))
        if not rows:
            raise MsaError(f"{name}: no such source in memory (msa sources lists them)")
        with store.writer(wait) as writer:
            return writer.forget([row.id for row in rows])

    def sources(self) -> list[SourceInfo]:
        return [_info(row) for row in self._open().sources()]

    def stats(self) -> Footprint:
        from engine.footprint import footprint

        return footprint(self._open(), self._device, self._budget)

    def verify(self) -> Verification:
        """Check every segment's checksum and every catalog row."""
        store = self._open()
        counts = store.footprint()
        return Verification(counts["segments"], counts["documents"], counts["sources"], store.verify())

    def rebuild(self, progress: Progress | None = None, wait: float = 0.0) -> IngestReport:
        """Encode everything again from the stored text with the present model; the files may be gone.

        The memory stays as it was until all is done, whatever stops this before.
        """
        from engine.rebuild import rebuild

        return rebuild(self._open(), self._loaded(), progress, wait)

    def _open(self) -> Store:
        if self._store is None:
            try:
                # Another process may have made it since.
                self._store = Store.open(self.store_dir)
            except NoMemoryError:
                raise NoMemoryError(
                    f"There is no memory at {self.store_dir} yet; msa ingest PATH makes one."
                ) from None
        return self._store

    def _loaded(self) -> MemoryModel:
        if self._model is None:
            from engine.model.loading import load_memory_model

            self._model = load_memory_model(self._model_folder, self._device)
        return self._model

    def _with_room(self, run: Callable[[], Result]) -> Result:
        """Run on the device; once more on the CPU if a GPU has no room for it."""
        try:
            return run()
        except RuntimeError as error:
            # Named, not caught: torch is imported only with the model.
            if type(error).__name__ != "OutOfMemoryError" or self._model is None or self._model.device.type == "cpu":
                raise
            logger.warning("the GPU ran out of memory; going on with the CPU")
        self._model, self._asker, self._device = None, None, "cpu"
        return run()

    def _asking(self) -> Asker:
        store = self._open()
        model = self._loaded()
        store.check_model(model.fingerprint, model.name)
        if self._asker is None:
            from engine.asking import Asker

            self._asker = Asker(store, model, self._budget)
        return self._asker


def _readers(model: MemoryModel) -> int:
    """Processes that read files. On a CPU encoding takes fifty times as long as reading and wants every core."""
    return 0 if model.device.type == "cpu" else min(8, max(1, (os.cpu_count() or 1) - 2))


def _asked(question: str) -> str:
    question = " ".join(question.split())
    if not question:
        raise MsaError("The question is empty.")
    return question


def _info(row: SourceRow) -> SourceInfo:
    return SourceInfo(row.source, row.record, row.kind, row.n_documents, row.n_tokens, row.display, row.id)
