"""chunk_pool in Triton: one program sums the tokens of one chunk over one block of features. Forward only."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from kernels.chunk_pool.layout import tokens_per_chunk

BLOCK_T = 16
BLOCK_F = 128


@triton.jit
def chunk_pool_kernel(
    x, starts, counts, out, n_features, BLOCK_T: tl.constexpr, BLOCK_F: tl.constexpr
):
    i_c = tl.program_id(0).to(tl.int64)
    o_f = tl.program_id(1) * BLOCK_F + tl.arange(0, BLOCK_F)
    m_f = o_f < n_features
    start = tl.load(starts + i_c)
    count = tl.load(counts + i_c)

    b_sum = tl.zeros([BLOCK_F], dtype=tl.float32)
    for i_t in range(0, count, BLOCK_T):
        o_t = i_t + tl.arange(0, BLOCK_T)
        p_x = x + (start + o_t)[:, None] * n_features + o_f[None, :]
        b_x = tl.load(p_x, mask=(o_t < count)[:, None] & m_f[None, :], other=0.0)
        b_sum += tl.sum(b_x.to(tl.float32), axis=0)
    tl.store(out + i_c * n_features + o_f, b_sum / count.to(tl.float32), mask=m_f)


def chunk_pool(x: Tensor, lengths: Tensor | list[int], chunk_size: int) -> Tensor:
    """Mean of every chunk of every packed document. x [T, ...] -> float32 [C, ...]; see `kernels.chunk_pool`."""
    counts = tokens_per_chunk(lengths, chunk_size)
    starts = counts.cumsum(0) - counts  # int64, so that offsets into a large pack do not overflow
    out = torch.empty(len(counts), *x.shape[1:], dtype=torch.float32, device=x.device)
    if out.numel() == 0:
        return out
    n_features = out[0].numel()
    grid = (len(counts), triton.cdiv(n_features, BLOCK_F))
    chunk_pool_kernel[grid](
        x.contiguous(),
        starts.to(x.device),
        counts.to(x.device),
        out,
        n_features,
        BLOCK_T=BLOCK_T,
        BLOCK_F=BLOCK_F,
    )
    return out
