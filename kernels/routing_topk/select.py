"""Exact, order-independent selection: floats as integers of the same order, ties to the smaller document."""

from __future__ import annotations

import torch
from torch import Tensor


def ordered_bits(x: Tensor) -> Tensor:
    """float32 -> int32 of the same order: negative floats have their magnitude bits flipped."""
    bits = x.view(torch.int32)
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


def from_ordered_bits(ordered: Tensor) -> Tensor:
    """Inverse of `ordered_bits`; the flip undoes itself, since it leaves the sign bit alone."""
    return (ordered ^ ((ordered >> 31) & 0x7FFFFFFF)).view(torch.float32)


def best_documents(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """scores [Q, N] float32 -> the k best (scores [Q, k], documents [Q, k]), best first, ties: smaller first.

    torch.topk leaves the order of ties open, so it runs on distinct int64 keys: score above, inverted index below.
    """
    index = torch.arange(scores.shape[1], device=scores.device)
    # Adding zero turns -0.0 into 0.0: equal as floats, different as bits.
    key = (ordered_bits(scores + 0.0).long() << 32) | (0xFFFFFFFF - index)
    documents = 0xFFFFFFFF - (key.topk(k, dim=1).values & 0xFFFFFFFF)
    return scores.gather(1, documents), documents
