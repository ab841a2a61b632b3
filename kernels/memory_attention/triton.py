"""memory_attention in Triton: online softmax over the memory's keys, then over the local ones. Forward only.

One program owns a block of rows of one (batch, key head). The H/G query heads that share a key head are packed
beside the tokens, row = token * H/G + head, so a single decoded token still fills a tile and keys are read once.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor


def block_sizes(dtype: torch.dtype) -> tuple[int, int]:
    """Rows and keys of a tile: float32 dots run without tensor cores and take twice the shared memory."""
    return (16, 32) if dtype == torch.float32 else (32, 64)


@triton.jit
def _attend(
    b_q, b_max, b_sum, b_out,
    p_k, p_v, o_d, m_d, m_n, m_visible,
    b_k_scale, b_v_scale, scale,
):
    """One block of keys into the running maximum [M], sum [M] and output [M, D] of the softmax."""
    m_load = m_n[:, None] & m_d[None, :]  # hidden keys and values read as zero, whatever they hold
    b_k = tl.load(p_k[:, None] + o_d[None, :], mask=m_load, other=0).to(b_q.dtype)
    b_v = tl.load(p_v[:, None] + o_d[None, :], mask=m_load, other=0).to(b_q.dtype)
    # int8 is exact in every float type, so vectors are scaled after the product, in float32.
    b_s = tl.dot(b_q, tl.trans(b_k), input_precision="ieee") * (scale * b_k_scale)[None, :]
    b_s = tl.where(m_visible, b_s, float("-inf"))

    b_new = tl.maximum(b_max, tl.max(b_s, axis=1))
    b_shift = tl.where(b_new == float("-inf"), 0.0, b_new)  # nothing seen yet: avoid inf - inf
    b_p = tl.exp(b_s - b_shift[:, None])
    b_decay = tl.exp(b_max - b_shift)
    b_sum = b_sum * b_decay + tl.sum(b_p, axis=1)
    b_weighted = (b_p * b_v_scale[None, :]).to(b_q.dtype)
    b_out = b_out * b_decay[:, None] + tl.dot(b_weighted, b_v, input_precision="ieee")
    return b_new, b_sum, b_out


@triton.jit
def memory_attention_kernel(
    q, local_k, local_v, memory_k, memory_v, memory_k_scale, memory_v_scale,
    memory_mask, local_mask, out, scale,
    n_tokens, n_local, n_memory, G, D,
    R: tl.constexpr, CAUSAL: tl.constexpr, HAS_K_SCALE: tl.constexpr, HAS_V_SCALE: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr,
):  # fmt: skip
    i_m = tl.program_id(0)
    i_b = (tl.program_id(1) // G).to(tl.int64)
    i_g = tl.program_id(1) % G
    o_m = i_m * BLOCK_M + tl.arange(0, BLOCK_M)
    m_m = o_m < n_tokens * R
    o_t = o_m // R
    o_d = tl.arange(0, BLOCK_D)
    m_d = o_d < D
    # q and out are [B, T, G, R, D]: row (t, r) of key head g.
    o_q = (((i_b * n_tokens + o_t) * G + i_g) * R + o_m % R)[:, None] * D + o_d[None, :]
    b_q = tl.load(q + o_q, mask=m_m[:, None] & m_d[None, :], other=0.0)

    b_max = tl.full([BLOCK_M], float("-inf"), dtype=tl.float32)
    b_sum = tl.zeros([BLOCK_M], dtype=tl.float32)
    b_out = tl.zeros([BLOCK_M, BLOCK_D], dtype=tl.float32)
    b_one = tl.full([BLOCK_N], 1.0, dtype=tl.float32)

    for i_n in range(0, n_memory, BLOCK_N):
        o_n = i_n + tl.arange(0, BLOCK_N)
        m_n = o_n < n_memory
        m_n = m_n & (tl.load(memory_mask + i_b * n_memory + o_n, mask=m_n, other=0) != 0)
        o_v = (i_b * n_memory + o_n) * G + i_g  # index of the vector, and of its scale
        b_k_scale = b_one
        b_v_scale = b_one
        if HAS_K_SCALE:
            b_k_scale = tl.load(memory_k_scale + o_v, mask=m_n, other=0.0).to(tl.float32)
        if HAS_V_SCALE:
            b_v_scale = tl.load(memory_v_scale + o_v, mask=m_n, other=0.0).to(tl.float32)
        b_max, b_sum, b_out = _attend(
            b_q, b_max, b_sum, b_out, memory_k + o_v * D, memory_v + o_v * D, o_d, m_d, m_n, m_n[None, :],
            b_k_scale, b_v_scale, scale,
        )  # fmt: skip

    # The queries are the last n_tokens of the n_local positions.
    o_position = o_t + n_local - n_tokens
    n_visible = n_local
    if CAUSAL:
        last_token = (i_m * BLOCK_M + BLOCK_M - 1) // R
        n_visible = tl.minimum(n_local, last_token + n_local - n_tokens + 1)
    for i_n in range(0, n_visible, BLOCK_N):
        o_n = i_n + tl.arange(0, BLOCK_N)
        m_n = o_n < n_visible
        m_n = m_n & (tl.load(local_mask + i_b * n_local + o_n, mask=m_n, other=0) != 0)
        o_v = (i_b * n_local + o_n) * G + i_g
        m_visible = m_n[None, :]
        if CAUSAL:
            m_visible = m_visible & (o_n[None, :] <= o_position[:, None])
        b_max, b_sum, b_out = _attend(
            b_q, b_max, b_sum, b_out, local_k + o_v * D, local_v + o_v * D, o_d, m_d, m_n, m_visible,
            b_one, b_one, scale,
        )  # fmt: skip

    b_out = b_out / tl.where(b_sum == 0.0, 1.0, b_sum)[:, None]  # a row that saw nothing stays 0
    tl.store(out + o_q, b_out.to(out.dtype.element_ty), mask=m_m[:, None] & m_d[None, :])


def memory_attention(
    q: Tensor,
    local_k: Tensor,
    local_v: Tensor,
    memory_k: Tensor,
    memory_v: Tensor,
    memory_mask: Tensor,
    local_mask: Tensor,
    causal: bool,
    scale: float | None = None,
    *,
    memory_k_scale: Tensor | None = None,
    memory_v_scale: Tensor | None = None,
) -> Tensor:
    """q [B, Tq, H, D] over [memory ; local] -> [B, Tq, H, D]; see `kernels.memory_attention`."""
    batch, n_tokens, n_heads, dim = q.shape
    n_groups = local_k.shape[2]
    group_size = n_heads // n_groups
    q = q.contiguous()
    out = torch.empty_like(q)
    if out.numel() == 0:
        return out
    block_m, block_n = block_sizes(q.dtype)
    grid = (triton.cdiv(n_tokens * group_size, block_m), batch * n_groups)
    memory_attention_kernel[grid](
        q,
        local_k.contiguous(),
        local_v.contiguous(),
        memory_k.contiguous(),
        memory_v.contiguous(),
        q if memory_k_scale is None else memory_k_scale.contiguous(),
        q if memory_v_scale is None else memory_v_scale.contiguous(),
        memory_mask.contiguous(),
        local_mask.contiguous(),
        out,
        dim**-0.5 if scale is None else scale,
        n_tokens,
        local_k.shape[1],
        memory_k.shape[1],
        n_groups,
        dim,
        R=group_size,
        CAUSAL=causal,
        HAS_K_SCALE=memory_k_scale is not None,
        HAS_V_SCALE=memory_v_scale is not None,
        BLOCK_M=block_m,
        BLOCK_N=block_n,
        BLOCK_D=max(16, triton.next_power_of_2(dim)),
    )
    return out
