"""What one rank does when it is called: its own store, its own router keys. Ids here are the shard's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.errors import NoMemoryError
from engine.routing import Router
from engine.store import DocumentRow, Store
from engine.store.budget import Budget
from engine.store.shared_bm25 import Counts
from engine.store.tiers import RouterKeys, fetch_pooled_kv

if TYPE_CHECKING:
    from engine.memory import Memory
    from engine.results import IngestReport


def shard_directory(directory: Path, rank: int, world: int) -> Path:
    return directory / f"shard-{rank}-of-{world}"


class Shard:
    """One rank's part of a memory. `memory` is the shard's own, an ordinary memory."""

    def __init__(self, memory: Memory, rank: int, world: int, budget: Budget):
        self.memory, self.rank, self.world, self.budget = memory, rank, world, budget
        self._router: Router | None = None

    @property
    def store(self) -> Store:
        return self.memory._open()

    def ingest(self, paths: Sequence[str], options: dict[str, Any]) -> IngestReport:
        """Read this rank's part of the files: those whose path falls to it."""
        self._router = None
        return self.memory.ingest_part([Path(p) for p in paths], part=(self.rank, self.world), **options)

    def load(self, fingerprint: str, name: str, config: Any, device: str) -> tuple[int, int]:
        """Load the router keys again if the shard has changed; (version, documents). A shard without a memory is empty."""
        try:
            self.store.check_model(fingerprint, name)
        except NoMemoryError:
            return 0, 0
        if self._router is None or self._router.keys.version != self.store.version():
            place = device if device == "cpu" else f"cuda:{self.rank % max(1, torch.cuda.device_count())}"
            self._router = Router(self.store, RouterKeys.load(self.store, place, self.budget), config)
        return self._router.keys.version, len(self._router.keys.document_ids)

    def best(
        self, layer: int, query: Tensor, mask: Tensor, k: int | None, wanted: Sequence[Sequence[Sequence[int]]]
    ) -> list[tuple[list[int], list[float]]]:
        """For each query [Q, T, Hr, Dr] the ids and scores of its k best documents (None: of all) and of those in
        `wanted`, which holds a list a rank of a list a query."""
        if self._router is None:
            return [([], []) for _ in query]
        scores = self._router.scores(layer, query, mask).cpu()
        found = []
        for row, also in zip(scores, wanted[self.rank], strict=True):
            near = row.topk(min(k, len(row))).indices.tolist() if k is not None else list(range(len(row)))
            picked = list(dict.fromkeys([*near, *self._router.positions(also)]))
            found.append((self._router.document_ids[picked].tolist(), row[picked].tolist()))
        return found

    def documents(self, ids: list[int]) -> list[DocumentRow]:
        return self.store.documents(ids) if ids else []

    def pooled_kv(self, ids: list[int]) -> list[tuple[Tensor, Tensor]]:
        return fetch_pooled_kv(self.store, ids) if ids else []

    def text(self, source_id: int, start: int, end: int) -> str:
        return self.store.text(source_id, start, end)

    def line_range(self, source_id: int, start: int, end: int) -> tuple[int, int]:
        return self.store.line_range(source_id, start, end)

    def search_text(self, query: str, terms: list[str], k: int) -> tuple[list[tuple[int, str, str]], Counts]:
        """The shard's k best documents (id, title, text), and what its index counts of the terms."""
        if self._router is None:
            return [], Counts(0, 0, (0,) * len(terms))
        rows = self.store.documents([document for document, _ in self.store.search_text(query, k)])
        hits = [(row.id, row.title, self.store.text(row.source_id, row.start, row.end)) for row in rows]
        return hits, self.store.word_counts(terms)

    def version(self) -> int:
        return self.store.version() if self._router is not None else 0
