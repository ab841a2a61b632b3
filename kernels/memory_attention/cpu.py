"""Attention over [memory ; local] through torch's fused attention, in the dtype of the query."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from kernels.memory_attention.reference import dequantise, visible_keys


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
    k = torch.cat([dequantise(memory_k, memory_k_scale, q.dtype), local_k], dim=1)
    v = torch.cat([dequantise(memory_v, memory_v_scale, q.dtype), local_v], dim=1)
    real = torch.cat([memory_mask, local_mask], dim=1)
    if not real.all():  # a mask adds -inf to a score and 0 * value to a sum: neither survives a nan there
        hidden = ~real[:, :, None, None]
        k, v = k.masked_fill(hidden, 0.0), v.masked_fill(hidden, 0.0)

    visible = visible_keys(memory_mask, local_mask, q.shape[1], causal)
    sees = visible.any(2, keepdim=True)  # [B, Tq, 1]
    # A row that sees nothing is let see everything and zeroed after, so that no backend gets to divide by zero.
    out = scaled_dot_product_attention(
        q.transpose(1, 2),
        k.transpose(1, 2),
        v.transpose(1, 2),
        attn_mask=(visible | ~sees)[:, None],
        scale=scale,
        enable_gqa=q.shape[2] != k.shape[2],
    )
    return out.transpose(1, 2).masked_fill(~sees[..., None], 0.0)
