"""Ragged mean pooling, the specification: pooled[c] = mean over the tokens of chunk c (arXiv 2603.23516, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor

from kernels.chunk_pool.layout import tokens_per_chunk


def chunk_pool(x: Tensor, lengths: Tensor | list[int], chunk_size: int) -> Tensor:
    """Mean of every chunk of every packed document. x [T, ...] -> float32 [C, ...]; see `kernels.chunk_pool`."""
    counts = tokens_per_chunk(lengths, chunk_size).to(x.device)
    n_chunks = counts.numel()
    chunk_of_token = torch.repeat_interleave(torch.arange(n_chunks, device=x.device), counts)
    sums = torch.zeros(n_chunks, *x.shape[1:], dtype=torch.float32, device=x.device)
    sums = sums.index_add(0, chunk_of_token, x.float())
    return sums / counts.view(-1, *[1] * (x.ndim - 1))
