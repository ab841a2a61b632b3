"""Rank 0's view of all shards: a store and a router over the calls of `ranks`. An id is shard id * ranks + rank."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.routing import Selector
from engine.store.search import terms_of
from engine.store.shared_bm25 import scores

if TYPE_CHECKING:
    from engine.parallel.ranks import Ranks
    from engine.parallel.shard import Shard
    from engine.store import DocumentRow

# A shard ranks its hits by its own counts: so many times as many are looked at as are wanted.
SPARE = 2


class ShardedStore:
    """What asking needs of a store, fetched from the rank that owns it."""

    def __init__(self, ranks: Ranks, shard: Shard, directory: Path):
        self.ranks, self.shard, self.directory = ranks, shard, directory

    def all(self, name: str, *arguments: Any) -> list[Any]:
        return self.ranks.call(self.shard, name, *arguments)

    def owner(self, number: int, name: str, *arguments: Any) -> Any:
        """Call the owner of a source or document `number`, which it knows by its own id."""
        local, rank = divmod(number, self.ranks.world)
        return self.ranks.call(self.shard, name, local, *arguments, to=rank)[0]

    def documents(self, ids: list[int]) -> list[DocumentRow]:
        rows = {}
        for rank, local in self._by_rank(ids).items():
            for row in self.ranks.call(self.shard, "documents", local, to=rank)[0]:
                known = self._row(row, rank)
                rows[known.id] = known
        return [rows[i] for i in ids if i in rows]

    def earlier(self, document: int, steps: int) -> int:
        """As Store.earlier: a shard's ids lie as far apart as there are shards."""
        return document - steps * self.ranks.world

    def pooled_kv(self, ids: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        states: dict[int, tuple[Tensor, Tensor]] = {}
        for rank, local in self._by_rank(ids).items():
            fetched = self.ranks.call(self.shard, "pooled_kv", local, to=rank)[0]
            states.update(zip((i * self.ranks.world + rank for i in local), fetched, strict=True))
        return [states[i] for i in ids]

    def text(self, source_id: int, start: int = 0, end: int = 1 << 62) -> str:
        return self.owner(source_id, "text", start, end)

    def line_range(self, source_id: int, start: int, end: int) -> tuple[int, int]:
        return self.owner(source_id, "line_range", start, end)

    def search_text(self, query: str, k: int) -> list[tuple[int, float]]:
        """The best hits of all shards, scored as one index would score them."""
        terms = terms_of(query)
        parts = self.all("search_text", query, terms, SPARE * k)
        ids = [local * self.ranks.world + rank for rank, (found, _) in enumerate(parts) for local, _, _ in found]
        texts = [(title, text) for found, _ in parts for _, title, text in found]
        total = reduce(add, (counts for _, counts in parts))
        hits = zip(ids, scores(terms, texts, total), strict=True)
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:k]

    def version(self) -> tuple[int, ...]:
        return tuple(self.all("version"))

    def _by_rank(self, ids: Sequence[int]) -> dict[int, list[int]]:
        parts: dict[int, list[int]] = {}
        for number in dict.fromkeys(ids):
            parts.setdefault(number % self.ranks.world, []).append(number // self.ranks.world)
        return parts

    def _row(self, row: DocumentRow, rank: int) -> DocumentRow:
        world = self.ranks.world
        return row._replace(id=row.id * world + rank, source_id=row.source_id * world + rank)


class ShardedRouter:
    """Routes over all ranks: the query goes out, each rank's best come back, the best of those are taken."""

    def __init__(self, store: ShardedStore, layers: int):
        self.store, self.layers = store, layers

    def asking(self, k: int, wanted: Sequence[Collection[int]]) -> AskedShards:
        return AskedShards(self, k, wanted)


class AskedShards(Selector):
    """One round's routing: scores of the documents that can matter for it, -inf where a rank kept one back."""

    def __init__(self, router: ShardedRouter, k: int, wanted: Sequence[Collection[int]]):
        self.router, self.wanted = router, wanted
        # The mean over several router layers may favour a document that is among no single layer's best.
        self.k = k if router.layers == 1 else None
        super().__init__(torch.empty(0, dtype=torch.int64))

    def scores(self, layer: int, query: Tensor, mask: Tensor) -> Tensor:
        """[Q, n] of the documents that `select` then knows."""
        world = self.router.store.ranks.world
        wanted = [[[d // world for d in row if d % world == rank] for row in self.wanted] for rank in range(world)]
        # Each rank is told all of it: a broadcast, not one message a rank.
        parts = self.router.store.all("best", layer, query.cpu(), mask.cpu(), self.k, wanted)
        rows: list[dict[int, float]] = [{} for _ in self.wanted]
        for rank, part in enumerate(parts):
            for row, (ids, values) in zip(rows, part, strict=True):
                row.update(zip((i * world + rank for i in ids), values, strict=True))
        known = sorted(set().union(*rows))
        super().__init__(torch.tensor(known, dtype=torch.int64))
        return torch.tensor([[row.get(i, -torch.inf) for i in known] for row in rows]).view(len(rows), len(known))
