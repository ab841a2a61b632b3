"""Routing, the specification (arXiv 2603.23516, section 3: chunk scores, then document scores, then top k).

    S[q, c] = max over active tokens t of  scale * mean over heads h of  query[q, t, h] . key[c, group(h)]
    s[q, d] = max over the chunks c of document d of  S[q, c]
"""

from __future__ import annotations

import torch
from torch import Tensor

TILE = 4096  # chunks dequantised at a time


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
    n_queries, n_tokens, n_heads, dim = query.shape
    n_groups = keys.shape[1]
    query = query.float().masked_fill(~query_mask[:, :, None, None], 0.0)
    active = query_mask
    if query_reduce == "mean":
        query = query.sum(1, keepdim=True) / query_mask.sum(1).clamp(min=1).view(-1, 1, 1, 1)
        active = query_mask.any(1, keepdim=True)
    query = query.unflatten(2, (n_groups, n_heads // n_groups))  # [Q, Tq, G, H/G, D]

    scores = query.new_full((n_queries, n_documents), -torch.inf)
    for start in range(0, keys.shape[0], TILE):
        tile = keys[start : start + TILE].float()
        if scales is not None:
            tile = tile * scales[start : start + TILE, :, None].float()
        by_token = torch.einsum("qtgrd,cgd->qtc", query, tile) * (scale / n_heads)
        by_chunk = by_token.masked_fill(~active[:, :, None], -torch.inf).amax(1)  # [Q, tile]
        document = chunk_document[start : start + TILE].expand(n_queries, -1)
        scores.scatter_reduce_(1, document, by_chunk, "amax")
    return scores


def best_documents(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """scores [Q, N] -> the k best (scores [Q, k], documents [Q, k]), best first, ties: smaller document first."""
    best, documents = scores.sort(dim=1, descending=True, stable=True)
    return best[:, :k], documents[:, :k]
