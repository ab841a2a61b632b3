"""Routing in plain torch, arranged for a CPU: tiles of keys become float32 in one reused buffer, then a matmul.

Spans of tiles are scanned side by side, one thread each: threads that meet after every tile wait for one another, twice
as long where they sleep while they wait, six times where another process holds one's core (1.8M keys, two cores: 240
and 800 ms against 110; `benchmarks/kernels.py` times the whole).
"""

from __future__ import annotations

from threading import Lock

import torch
from torch import Tensor

from kernels.routing_topk.query import fold_query
from kernels.side_by_side import side_by_side

# Chunks per tile, by measurement: 1.5M int8 keys of 384 against one vector take 0.11-0.14 CPU-seconds at 2048, twice
# that at 256 (torch's overhead per call) and at 16384 (the float32 buffer leaves the cache).
TILE = 2048
# Tiles whose chunk scores are reduced to documents at once: each reduction costs as much as there are documents.
TILES = 64
# Fewer than these are not worth starting threads for.
LEAST_TILES = 4


@torch.no_grad()
def routing_scores(
    query: Tensor,
    query_mask: Tensor,
    keys: Tensor,
    scales: Tensor | None,
    chunk_document: Tensor,
    n_documents: int,
    query_reduce: str,
    scale: float = 1.0,
) -> Tensor:
    """Score of every document, float32 [Q, n_documents]; see `kernels.routing_topk.routing_scores`."""
    n_chunks, n_groups, _ = keys.shape
    vectors, active = fold_query(query, query_mask, n_groups, query_reduce, scale)
    n_queries, n_tokens, width = vectors.shape
    columns = vectors.view(-1, width).T.contiguous()  # [G * D, Q * T']: keys on the left is MKL's faster side
    scores = columns.new_full((n_queries, n_documents), -torch.inf)
    workers = torch.get_num_threads() if n_chunks > LEAST_TILES * TILE else 1
    size = TILE * min(TILES, max(1, -(-n_chunks // (TILE * workers))))
    lock = Lock()

    def span(begin: int) -> None:
        here = slice(begin, begin + size)
        products = _products(keys[here], None if scales is None else scales[here], columns)
        by_chunk = products.view(-1, n_queries, n_tokens).amax(2).T
        with lock:
            scores.scatter_reduce_(1, chunk_document[here].expand(n_queries, -1), by_chunk, "amax")

    side_by_side(span, range(0, n_chunks, size), workers)
    return scores.masked_fill_(~active[:, None], -torch.inf)


def _products(keys: Tensor, scales: Tensor | None, columns: Tensor) -> Tensor:
    """keys [C, G, D] by columns [G * D, N] -> float32 [C, N], with each key's scale, tile by tile."""
    n_chunks, n_groups, dim = keys.shape
    out = columns.new_empty(n_chunks, columns.shape[1])
    buffer = columns.new_empty(min(TILE, n_chunks), n_groups, dim)
    for start in range(0, n_chunks, TILE):
        tile = keys[start : start + TILE]
        floats = buffer[: len(tile)].copy_(tile)
        if scales is not None and n_groups > 1:
            floats.mul_(scales[start : start + TILE, :, None])
        products = torch.mm(floats.view(len(tile), -1), columns, out=out[start : start + TILE])
        if scales is not None and n_groups == 1:  # one scale a chunk: fewer products to scale than key elements
            products.mul_(scales[start : start + TILE])
    return out
