"""memory_attention: active tokens over [pooled memory ; local context], on the best implementation for the device."""

from __future__ import annotations

from torch import Tensor

from kernels.backend import backend, wants_gradient
from kernels.memory_attention import cpu, reference

__all__ = ["memory_attention"]


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
    """Active tokens attend to [memory ; local] in one softmax; grouped query attention, head h on h // (H / G).

    q: [B, Tq, H, D]. local_k, local_v: [B, Tl, G, D] with Tl >= Tq; the queries are the last Tq local positions
    (Tl == Tq without a cache). memory_k, memory_v: [B, M, G, D], M may be 0; int8 with `memory_k_scale` and
    `memory_v_scale` [B, M, G], or any float type. memory_mask: bool [B, M], local_mask: bool [B, Tl], True for a
    real key. Memory is visible to every query, local keys up to the query's own position if `causal`, else all.
    scale: factor of the scores, D ** -0.5 by default.
    Returns [B, Tq, H, D] in q's dtype; a row that sees nothing is 0. What masked keys and values hold does not
    matter. Differentiable (the Triton kernel, forward only, is passed over where autograd records).
    Raises ValueError for shapes that do not fit.
    """
    _check_local(q, local_k, local_v, local_mask)
    _check_memory(local_k, memory_k, memory_v, memory_mask, memory_k_scale, memory_v_scale)
    name = backend(q.device)
    if name == "triton" and wants_gradient(q, local_k, local_v, memory_k, memory_v):
        name = "cpu"
    if name == "triton":
        from kernels.memory_attention import triton as implementation
    else:
        implementation = cpu if name == "cpu" else reference
    return implementation.memory_attention(
        q,
        local_k,
        local_v,
        memory_k,
        memory_v,
        memory_mask,
        local_mask,
        causal,
        scale,
        memory_k_scale=memory_k_scale,
        memory_v_scale=memory_v_scale,
    )


def _check_local(q: Tensor, local_k: Tensor, local_v: Tensor, local_mask: Tensor) -> None:
    batch, n_queries, n_heads, dim = q.shape
    n_local, n_groups = local_k.shape[1:3]
    if local_k.shape != (batch, n_local, n_groups, dim) or n_local < n_queries or n_heads % n_groups:
        raise ValueError(f"queries {list(q.shape)} do not fit local keys {list(local_k.shape)}")
    if local_v.shape != local_k.shape or local_mask.shape != local_k.shape[:2]:
        raise ValueError(f"local values or local_mask do not fit local keys {list(local_k.shape)}")


def _check_memory(
    local_k: Tensor, memory_k: Tensor, memory_v: Tensor, memory_mask: Tensor, *scales: Tensor | None
) -> None:
    batch, _, n_groups, dim = local_k.shape
    if memory_k.shape != (batch, memory_k.shape[1], n_groups, dim):
        raise ValueError(f"memory keys {list(memory_k.shape)} do not fit local keys {list(local_k.shape)}")
    if memory_v.shape != memory_k.shape or memory_mask.shape != memory_k.shape[:2]:
        raise ValueError(f"memory values or memory_mask do not fit memory keys {list(memory_k.shape)}")
    if any(s is not None and s.shape != memory_k.shape[:3] for s in scales):
        raise ValueError(f"memory scales do not fit memory keys {list(memory_k.shape)}")
