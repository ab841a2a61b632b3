"""A memory in shards behind the ordinary facade: `torchrun ... msa ingest`, then `torchrun ... msa ask`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from engine.asking import Asker
from engine.errors import NoMemoryError, UnsupportedError
from engine.interleave import Interleaver
from engine.memory import Memory, Progress
from engine.parallel.ranks import Ranks
from engine.parallel.shard import Shard, shard_directory
from engine.parallel.sharded import ShardedRouter, ShardedStore
from engine.results import IngestReport
from engine.store.budget import Budget


class ShardedAsker(Asker):
    """Asks over all shards. Raises RankError when a rank is gone, NoMemoryError when no shard holds anything."""

    store: ShardedStore

    def _loop(self, top_k: int | None) -> Interleaver:
        model = self.model
        loaded = self.store.all("load", model.fingerprint, model.name, model.config.router, model.device.type)
        if not any(documents for _, documents in loaded):
            raise NoMemoryError(f"There is no memory in shards at {self.store.directory} yet; ingest under torchrun.")
        router = ShardedRouter(self.store, len(model.config.router.router_layers))
        return Interleaver(model, self.store, router, self.policy, top_k)


class ParallelMemory(Memory):
    """Every rank opens one; rank 0 is asked, the others `serve` it. A shard is an ordinary memory of its own."""

    def __init__(self, directory: Path, model_folder: Path, device: str | None, budget: Budget, ranks: Ranks):
        super().__init__(directory, None, model_folder, device, budget)
        place = shard_directory(directory, ranks.rank, ranks.world)
        self.ranks = ranks
        memory = Memory(place, None, model_folder, device)
        self._shard = Shard(memory, ranks.rank, ranks.world, budget)

    @property
    def helper(self) -> bool:
        return self.ranks.rank > 0

    def serve(self) -> None:
        """On ranks other than 0: do what rank 0 asks until it closes its memory."""
        try:
            self.ranks.serve(self._shard)
        finally:
            self.close()

    def close(self) -> None:
        self.ranks.close()
        self._shard.memory.close()
        self._asker = None

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
        """Every rank reads the files whose path falls to it. Ranks on other machines look under the same paths."""
        options = {"prune": prune, "hidden": hidden, "wait": wait}
        places = [str(root.absolute()) for root in roots]
        return _together(self.ranks.call(self._shard, "ingest", places, options, patient=True))

    def _asking(self) -> Asker:
        if self._asker is None:
            store: Any = ShardedStore(self.ranks, self._shard, self.store_dir)
            self._asker = ShardedAsker(store, self._loaded(), self._budget)
        return self._asker

    def _open(self) -> Any:
        raise UnsupportedError(
            f"Over several processes only ingest, ask and recall work; for the rest name one shard: --store "
            f"{shard_directory(self.store_dir, 0, self.ranks.world)}"
        )


def _together(reports: list[IngestReport]) -> IngestReport:
    """One report: counts and lists add up, the time is the slowest rank's."""
    whole = IngestReport()
    for report in reports:
        for f in fields(IngestReport):
            mine, its = getattr(whole, f.name), getattr(report, f.name)
            if isinstance(its, dict):
                mine.update({stage: max(spent, mine.get(stage, 0.0)) for stage, spent in its.items()})
            elif f.name == "skipped":
                # Every rank sees all files that are passed over.
                mine += [skipped for skipped in its if skipped not in mine]
            else:
                setattr(whole, f.name, max(mine, its) if f.name == "seconds" else mine + its)
    return whole
