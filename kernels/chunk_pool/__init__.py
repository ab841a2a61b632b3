"""chunk_pool: mean over each chunk of each packed document, on the best implementation for the device."""

from __future__ import annotations

from torch import Tensor

from kernels.backend import backend, wants_gradient
from kernels.chunk_pool import reference
from kernels.chunk_pool.layout import chunk_lengths

__all__ = ["chunk_lengths", "chunk_pool"]


def chunk_pool(x: Tensor, lengths: Tensor | list[int], chunk_size: int) -> Tensor:
    """Mean over each chunk of each packed document, accumulated in float32.

    x: [T, ...], documents one after the other. lengths: tokens of each document, summing to T. Chunks never
    cross documents; a document's last chunk may be shorter than `chunk_size`.
    Returns float32 [C, ...], C = sum(chunk_lengths(lengths, chunk_size)). Differentiable in x.
    Raises ValueError when the lengths do not sum to T or `chunk_size` is below 1.
    """
    total = int(lengths.sum()) if isinstance(lengths, Tensor) else sum(lengths)
    if total != x.shape[0]:
        raise ValueError(f"document lengths sum to {total}, but x has {x.shape[0]} tokens")
    if backend(x.device) == "triton" and not wants_gradient(x):
        from kernels.chunk_pool import triton

        return triton.chunk_pool(x, lengths, chunk_size)
    return reference.chunk_pool(x, lengths, chunk_size)
