"""The query side of routing, folded once so that one dot product of length G*D scores a chunk."""

from __future__ import annotations

import torch
from torch import Tensor


def fold_query(
    query: Tensor, query_mask: Tensor, n_groups: int, query_reduce: str, scale: float
) -> tuple[Tensor, Tensor]:
    """query [Q, Tq, H, D] -> (vectors float32 [Q, T', G * D], which queries have an active token, bool [Q]).

    The mean over heads of dot products is linear, so the heads that share a key head are summed first; `scale`
    and 1/H go in as well. T' is 1 for "mean". For "max" an inactive token becomes a copy of its query's first
    active one, which cannot change a maximum and spares every later step the mask.
    """
    n_heads = query.shape[2]
    query = query.float().masked_fill(~query_mask[:, :, None, None], 0.0)
    vectors = query.unflatten(2, (n_groups, n_heads // n_groups)).sum(3).flatten(2) * (scale / n_heads)
    if query_reduce == "mean":
        vectors = vectors.sum(1, keepdim=True) / query_mask.sum(1).clamp(min=1).view(-1, 1, 1)
    else:
        first = query_mask.long().argmax(1)  # argmax gives the first of equal values
        stand_in = vectors[torch.arange(len(vectors), device=vectors.device), first]
        vectors = torch.where(query_mask[:, :, None], vectors, stand_in[:, None])
    return vectors.contiguous(), query_mask.any(1)
