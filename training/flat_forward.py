"""The reader over contexts that lie end to end in one array: no padding, one call a layer whatever the lengths.

The same as MSAEncoder's reading of padded rows without memory (a test compares them).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.model.encoder import MSAEncoder
from training.packed import Flat

Attend = Callable[[Tensor, Tensor, Tensor, Flat], Tensor]
"""q, k, v [N, H, D] and the contexts -> [N, H, D], each context by itself."""


def flash(q: Tensor, k: Tensor, v: Tensor, batch: Flat) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    starts = batch.starts.int()
    q, k, v = (t.to(torch.bfloat16).contiguous() for t in (q, k, v))
    return varlen_attn(q, k, v, starts, starts, batch.longest, batch.longest)


def padded(q: Tensor, k: Tensor, v: Tensor, batch: Flat) -> Tensor:
    rows, longest = len(batch.starts) - 1, -(-batch.longest // 8) * 8
    at = (batch.rows, batch.positions)
    mask = torch.zeros(rows, longest, dtype=torch.bool, device=q.device).index_put(at, torch.tensor(True, device=q.device))
    q, k, v = (t.new_zeros(rows, longest, *t.shape[1:]).index_put(at, t).transpose(1, 2) for t in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
    return out.transpose(1, 2)[at]


def fastest(device: torch.device) -> Attend:
    """`flash` where it runs and agrees with `padded`, else `padded`."""
    if device.type != "cuda":
        return padded
    sizes = torch.tensor([5, 130, 64])
    starts = torch.cat([torch.zeros(1, dtype=torch.long), sizes.cumsum(0)])
    rows = torch.repeat_interleave(torch.arange(3), sizes)
    none = torch.empty(0)
    batch = Flat(none, torch.arange(199) - starts[rows], none, none, rows, none, starts, *[none] * 7, longest=130).to(device)
    q = torch.randn(199, 12, 32, device=device, dtype=torch.bfloat16, requires_grad=True)
    try:
        told = []
        for attend in (flash, padded):
            out = attend(q, q * 0.5, q * 2, batch)
            told.append((out, *torch.autograd.grad(out.float().square().sum(), q)))
        agree = all(torch.allclose(a.float(), b.float(), atol=0.1, rtol=0.05) for a, b in zip(*told, strict=True))
        print(f"flash attention over contexts of any length: {'used' if agree else 'disagrees'}", flush=True)
        return flash if agree else padded
    except Exception as error:  # noqa: BLE001 whatever this version of torch lacks, the other way works
        print(f"flash attention is not to be had: {error}", flush=True)
        return padded


def states(model: MSAEncoder, batch: Flat, attend: Attend) -> tuple[Tensor, Tensor]:
    """Reading states before and after the MSA layers, [N, d] each."""
    stack = model.reader
    x = model.word_embeddings(batch.ids) + stack.position_embeddings(batch.positions) + stack.segment_embeddings(batch.segments)
    x = stack.embedding_norm(x)
    for layer in stack.layers:
        q, k, v = layer.qkv_proj(x).view(len(x), 3, layer.heads, -1).unbind(1)
        x = layer.attention_norm(x + layer.o_proj(attend(q, k, v, batch).flatten(1)))
        x = layer.mlp_norm(x + layer.down_proj(F.gelu(layer.up_proj(x))))
    before = x
    positions = batch.positions + model.config.router.top_k_docs
    for layer in model.layers.values():
        h, attention = layer.input_layernorm(x), layer.self_attn
        q = attention.queries(h, positions)
        k, v = (t.repeat_interleave(attention.n_heads // attention.n_kv_heads, 1) for t in attention.keys_values(h, positions))
        x = x + attention.o_proj(attend(q, k.to(q.dtype), v.to(q.dtype), batch).flatten(1))
        x = x + layer.mlp(layer.post_attention_layernorm(x))
    return before, model.norm(x)
