"""Question state -> top-k documents: an exact scan of the resident router keys, joined by exact words.

Latent keys miss names, identifiers and numbers; the full-text index does not. Its candidates join the routed ones,
and a document's final score is its routing score plus `lexical_weight` times its BM25 share of the best hit.
Rounds of a recall are joined by rank: scores of questions with different evidence do not compare.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.model.config import RouterConfig
from engine.store.tiers import RouterKeys
from kernels import routing_scores

if TYPE_CHECKING:
    from engine.store import Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Routed:
    """One selected document: `score` ranks it; `routing` is the router's own part, `lexical` 0..1 the words', `linked` 1 where
    the evidence read so far names it."""

    document: int
    score: float
    routing: float
    lexical: float
    linked: float = 0.0


class Selector:
    """The best documents by their scores and by exact words. `document_ids` int64 [N] in the order of scores."""

    def __init__(self, document_ids: Tensor):
        self.document_ids = document_ids
        self._sorted_ids, self._order = document_ids.sort()

    def select(
        self,
        scores: Tensor,
        k: int,
        lexical: Mapping[int, float] | None = None,
        lexical_weight: float = 0.0,
        exclude: Collection[int] = (),
    ) -> list[Routed]:
        """The k best documents for one context, best first. `scores` [N] is one context's row; `lexical` gives
        documents found by exact words their share, 0..1; `exclude` are documents already in the context."""
        shares = dict(lexical or {}) if lexical_weight else {}
        near = scores.topk(min(len(scores), k + len(exclude))).indices.tolist()
        positions = {*near, *self.positions(list(shares))}
        routed = []
        for i in positions:
            document, routing = int(self.document_ids[i]), float(scores[i])
            if document not in exclude:
                share = shares.get(document, 0.0)
                routed.append(Routed(document, routing + lexical_weight * share, routing, share))
        return sorted(routed, key=lambda r: (-r.score, r.document))[:k]

    def positions(self, documents: Sequence[int]) -> list[int]:
        """Where in the order of scores these document ids are; ids that are not there are left out."""
        if not documents or not len(self._order):
            return []
        wanted = torch.tensor(documents)
        found = torch.searchsorted(self._sorted_ids, wanted).clamp_(max=len(self._order) - 1)
        return self._order[found[self._sorted_ids[found] == wanted]].tolist()

class Router(Selector):
    """All documents of a memory, by their resident router keys: the model's RoutedMemory."""

    def __init__(self, store: Store, keys: RouterKeys, config: RouterConfig):
        super().__init__(keys.document_ids)
        self.store = store
        self.keys = keys
        self.config = config

    def asking(self, k: int, wanted: Sequence[Collection[int]]) -> Router:
        """The router for one round that takes at most k documents, or knows of `wanted` ones: here, all of them."""
        return self

    def scores(self, layer: int, query: Tensor, mask: Tensor) -> Tensor:
        # All scans are under way before the first is waited for: each GPU works at once.
        parts = [self._scan(number, layer, query, mask) for number in range(len(self.keys.blocks))]
        return torch.cat([part.to(query.device) for part in parts], 1)

    def _scan(self, number: int, layer: int, query: Tensor, mask: Tensor) -> Tensor:
        """Scores [Q, n] of one block's documents, computed where its keys are."""
        block = self.keys.blocks[number]
        try:
            return routing_scores(
                query.to(block.keys.device),
                mask.to(block.keys.device),
                block.keys[layer].unflatten(1, (self.config.router_kv_heads, self.config.router_head_dim)),
                block.scales[layer],
                block.chunk_document,
                block.documents,
                self.config.query_reduce_method,
                self.config.routing_scale,
            )
        except torch.OutOfMemoryError:
            if block.place != "GPU":
                raise
            logger.warning("the GPU ran out of memory; router keys go on in RAM")
            self.keys.blocks[number] = block.to_ram()
            return self._scan(number, layer, query, mask)

    def route(self, layer: int, query: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
        best = self.scores(layer, query, mask).topk(min(k, len(self._order)))
        return best.values, best.indices

    def fetch(self, layer: int, documents: Sequence[int]) -> tuple[Tensor, Tensor]:
        pairs = self.store.pooled_kv(self.document_ids[list(documents)].tolist())
        return torch.cat([k[layer] for k, _ in pairs]), torch.cat([v[layer] for _, v in pairs])


def lexical_shares(store: Store, queries: Sequence[str], k: int, exclude: Collection[int] = ()) -> dict[int, float]:
    """Documents that hold a query's words: BM25 as a share of that query's best, the mean over queries."""
    shares: dict[int, float] = {}
    for query in queries:
        hits = [(d, s) for d, s in store.search_text(query, k + len(exclude)) if d not in exclude]
        best = max((s for _, s in hits), default=0.0)
        for document, score in hits:
            if best > 0:
                shares[document] = shares.get(document, 0.0) + score / best / len(queries)
    return shares


def joined_rounds(rounds: Sequence[Sequence[Routed]], front: int = 1) -> list[Routed]:
    """One list from one a round: the first round's best `front`, then in turn the best yet unseen of each round,
    the latest first."""
    lists = [iter(routed) for routed in reversed(rounds)]
    joined = {r.document: r for r in (rounds[0][:front] if rounds else ())}
    while lists:
        for routed in list(lists):
            fresh = next((r for r in routed if r.document not in joined), None)
            if fresh is None:
                lists.remove(routed)
            else:
                joined[fresh.document] = fresh
    return list(joined.values())
