"""Encoder stacks over rows that lie end to end in one array: no padding, one call a layer whatever the lengths.

The same as MSAEncoder's reading of padded rows without memory (a test compares them).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.model.encoder import MSAEncoder, Stack
from training.packed import Flat


@dataclass
class Rows:
    """Rows of tokens end to end [N]: `ids`, `positions` in their row, `rows` they are of; `starts` [R + 1] and the `longest` row."""

    ids: Tensor
    positions: Tensor
    rows: Tensor
    starts: Tensor
    longest: int

    @staticmethod
    def of(rows: list[np.ndarray]) -> Rows:
        sizes = torch.tensor([len(r) for r in rows])
        starts = torch.cat([torch.zeros(1, dtype=torch.long), sizes.cumsum(0)])
        numbers = torch.repeat_interleave(torch.arange(len(rows)), sizes)
        ids = torch.from_numpy(np.concatenate(rows).astype(np.int64))
        return Rows(ids, torch.arange(len(ids)) - starts[numbers], numbers, starts, int(sizes.max()))

    def to(self, device: torch.device) -> Rows:
        moved = (t.to(device, non_blocking=True) for t in (self.ids, self.positions, self.rows, self.starts))
        return Rows(*moved, self.longest)


Attend = Callable[[Tensor, Tensor, Tensor, Rows | Flat], Tensor]
"""q, k, v [N, H, D] and the contexts -> [N, H, D], each context by itself."""


def flash(q: Tensor, k: Tensor, v: Tensor, batch: Rows | Flat) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    starts = batch.starts.int()
    q, k, v = (t.to(torch.bfloat16).contiguous() for t in (q, k, v))
    return varlen_attn(q, k, v, starts, starts, batch.longest, batch.longest)


def padded(q: Tensor, k: Tensor, v: Tensor, batch: Rows | Flat) -> Tensor:
    rows, longest = len(batch.starts) - 1, -(-batch.longest // 8) * 8
    at = (batch.rows, batch.positions)
    mask = torch.zeros(rows, longest, dtype=torch.bool, device=q.device).index_put(at, torch.tensor(True, device=q.device))
    q, k, v = (t.new_zeros(rows, longest, *t.shape[1:]).index_put(at, t).transpose(1, 2) for t in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
    return out.transpose(1, 2)[at]


def by_row(q: Tensor, k: Tensor, v: Tensor, batch: Rows | Flat) -> Tensor:
    """One row after the other, none longer than it is: on a CPU twice as fast as padded rows, training."""
    sizes = batch.starts.diff().tolist()
    rows = zip(*(t.transpose(0, 1).split(sizes, 1) for t in (q * q.shape[-1] ** -0.5, k, v)), strict=True)
    return torch.cat([torch.bmm(torch.bmm(q, k.transpose(1, 2)).softmax(-1), v) for q, k, v in rows], 1).transpose(0, 1)


def fastest(device: torch.device) -> Attend:
    """`flash` on a GPU where it runs and agrees with `padded`."""
    if device.type != "cuda":
        return by_row
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


def through(stack: Stack, words: Tensor, batch: Rows | Flat, attend: Attend, segments: Tensor | None = None) -> Tensor:
    """Word embeddings [N, d] -> a stack's states [N, d]."""
    segment = stack.segment_embeddings.weight[0] if segments is None else stack.segment_embeddings(segments)
    x = stack.embedding_norm(words + stack.position_embeddings(batch.positions) + segment)
    for layer in stack.layers:
        q, k, v = layer.qkv_proj(x).view(len(x), 3, layer.heads, -1).unbind(1)
        x = layer.attention_norm(x + layer.o_proj(attend(q, k, v, batch).flatten(1)))
        x = layer.mlp_norm(x + layer.down_proj(F.gelu(layer.up_proj(x))))
    return x


def states(model: MSAEncoder, batch: Flat, attend: Attend) -> tuple[Tensor, Tensor]:
    """Reading states before and after the MSA layers, [N, d] each."""
    x = through(model.reader, model.word_embeddings(batch.ids), batch, attend, batch.segments)
    before = x
    positions = batch.positions + model.config.router.top_k_docs
    for layer in model.layers.values():
        h, attention = layer.input_layernorm(x), layer.self_attn
        q = attention.queries(h, positions)
        k, v = (t.repeat_interleave(attention.n_heads // attention.n_kv_heads, 1) for t in attention.keys_values(h, positions))
        x = x + attention.o_proj(attend(q, k.to(q.dtype), v.to(q.dtype), batch).flatten(1))
        x = x + layer.mlp(layer.post_attention_layernorm(x))
    return before, model.norm(x)
