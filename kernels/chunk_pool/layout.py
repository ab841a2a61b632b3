"""Where chunks lie in packed documents: document lengths -> chunks per document -> tokens per chunk."""

from __future__ import annotations

import torch
from torch import Tensor


def chunk_lengths(lengths: Tensor | list[int], chunk_size: int) -> list[int]:
    """Chunks per document: ceil(length / chunk_size), so a document without tokens has none.

    Raises ValueError for a negative length or a chunk size below 1.
    """
    if chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1, not {chunk_size}")
    lengths = _as_list(lengths)
    if any(length < 0 for length in lengths):
        raise ValueError("document lengths must not be negative")
    return [-(-length // chunk_size) for length in lengths]


def tokens_per_chunk(lengths: Tensor | list[int], chunk_size: int) -> Tensor:
    """Tokens in each chunk of the packed documents, int64 [C] on the CPU: chunk_size, less at a document's end."""
    lengths = _as_list(lengths)
    counts: list[int] = []
    for length, n_chunks in zip(lengths, chunk_lengths(lengths, chunk_size), strict=True):
        if n_chunks:
            counts += [chunk_size] * (n_chunks - 1)
            counts.append(length - chunk_size * (n_chunks - 1))
    return torch.tensor(counts, dtype=torch.int64)


def _as_list(lengths: Tensor | list[int]) -> list[int]:
    return lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
