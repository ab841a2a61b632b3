"""Attention over [memory ; local], the specification: one float32 softmax over both (arXiv 2603.23516, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor


def dequantise(x: Tensor, scale: Tensor | None, dtype: torch.dtype) -> Tensor:
    """x [B, M, G, D] times its scale per vector [B, M, G], in `dtype`."""
    return x.to(dtype) if scale is None else (x.float() * scale[..., None].float()).to(dtype)


def visible_keys(memory_mask: Tensor, local_mask: Tensor, n_queries: int, causal: bool) -> Tensor:
    """Which of the [memory ; local] keys each query token may see, bool [B, Tq, M + Tl].

    The queries are the last Tq of the Tl local positions.
    """
    batch, n_local = local_mask.shape
    local = local_mask[:, None, :].expand(batch, n_queries, n_local)
    if causal:
        local = local & local.new_ones(n_queries, n_local).tril(n_local - n_queries)
    return torch.cat([memory_mask[:, None, :].expand(batch, n_queries, -1), local], dim=2)


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
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    k = torch.cat([dequantise(memory_k, memory_k_scale, torch.float32), local_k.float()], dim=1)
    v = torch.cat([dequantise(memory_v, memory_v_scale, torch.float32), local_v.float()], dim=1)
    # Hidden keys and values count for nothing, whatever they hold: 0 * nan would be nan.
    hidden = ~torch.cat([memory_mask, local_mask], dim=1)[:, :, None, None]
    k, v = k.masked_fill(hidden, 0.0), v.masked_fill(hidden, 0.0)

    q_groups = q.float().unflatten(2, (k.shape[2], -1))  # [B, Tq, G, H/G, D]
    scores = torch.einsum("btgrd,bsgd->bgrts", q_groups, k) * scale
    visible = visible_keys(memory_mask, local_mask, q.shape[1], causal)[:, None, None]  # [B, 1, 1, Tq, S]
    # A finite fill: a row that sees nothing would be nan after -inf, in the backward pass too.
    weights = scores.masked_fill(~visible, torch.finfo(torch.float32).min).softmax(-1) * visible
    out = torch.einsum("bgrts,bsgd->btgrd", weights, v)
    return out.flatten(2, 3).to(q.dtype)
