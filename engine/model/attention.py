"""The MSA layer, shared by both backbones: one attention that stores, routes and reads memory.

Notable choices: K is pooled after norm and rope, V and the router projections take neither; router keys are
normalised after pooling; the memory put before the local keys needs no positions (K is already roped), so its
order is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.layers import GatedMLP, RMSNorm, apply_rope, rope_tables
from kernels import chunk_pool, memory_attention

if TYPE_CHECKING:
    from engine.model.config import ModelConfig


@dataclass
class LayerMemory:
    """What one layer reads before its own tokens: `keys`, `values` [B, M, G, D], `mask` [B, M] (True: visible)."""

    keys: Tensor
    values: Tensor
    mask: Tensor

    @staticmethod
    def gather(documents: list[list[tuple[Tensor, Tensor]]]) -> LayerMemory:
        """From each row's documents as (K, V) pairs [C, G, D], padded to the longest row; a row may have none."""
        none = next((k[:0], v[:0]) for row in documents for k, v in row)
        paired = (zip(none, *row, strict=True) for row in documents)
        rows = [(torch.cat(keys), torch.cat(values)) for keys, values in paired]
        longest = max(k.shape[0] for k, _ in rows)
        sizes = torch.tensor([k.shape[0] for k, _ in rows])
        keys = torch.stack([F.pad(k, (0, 0, 0, 0, 0, longest - k.shape[0])) for k, _ in rows])
        values = torch.stack([F.pad(v, (0, 0, 0, 0, 0, longest - v.shape[0])) for _, v in rows])
        return LayerMemory(keys, values, torch.arange(longest)[None] < sizes[:, None])


@dataclass
class PooledStates:
    """Pooled states of packed documents in one router layer: [C, Gr, Dr], [C, G, D], [C, G, D]."""

    router_keys: Tensor
    keys: Tensor
    values: Tensor


class MSAAttention(nn.Module):
    """Grouped-query attention with q/k norm and rope, plus router projections in a router layer."""

    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        self.config = config
        self.n_heads, self.n_kv_heads, self.head_dim = (
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim,
        )
        hidden, d = config.hidden_size, config.head_dim
        self.q_proj = nn.Linear(hidden, self.n_heads * d, bias=False)
        self.k_proj = nn.Linear(hidden, self.n_kv_heads * d, bias=False)
        self.v_proj = nn.Linear(hidden, self.n_kv_heads * d, bias=False)
        self.o_proj = nn.Linear(self.n_heads * d, hidden, bias=False)
        self.q_norm = RMSNorm(d, config.rms_norm_eps)
        self.k_norm = RMSNorm(d, config.rms_norm_eps)
        self.is_router = layer in config.router.router_layers
        if self.is_router:
            r = config.router
            self.router_q_proj = nn.Sequential(nn.Linear(hidden, r.router_heads * r.router_head_dim, bias=False))
            self.router_k_proj = nn.Sequential(nn.Linear(hidden, r.router_kv_heads * r.router_head_dim, bias=False))

    def keys_values(self, h: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """K (normed, roped) and V [..., T, G, D] of h [..., T, d] at `positions` [..., T]."""
        shape = (*h.shape[:-1], self.n_kv_heads, self.head_dim)
        k = self.k_norm(self.k_proj(h).view(shape))
        tables = rope_tables(positions, self.head_dim, self.config.rope_theta)
        return apply_rope(k, tables), self.v_proj(h).view(shape)

    def queries(self, h: Tensor, positions: Tensor) -> Tensor:
        """Q (normed, roped) [..., T, H, D]."""
        q = self.q_norm(self.q_proj(h).view(*h.shape[:-1], self.n_heads, self.head_dim))
        return apply_rope(q, rope_tables(positions, self.head_dim, self.config.rope_theta))

    def pool(self, h: Tensor, k: Tensor, v: Tensor, lengths: list[int]) -> PooledStates:
        """Compress packed documents h [T, d], k and v [T, G, D] of the given lengths to their chunks."""
        r = self.config.router
        router = self.router_k_proj(h).view(-1, r.router_kv_heads, r.router_head_dim)
        pooled_router = chunk_pool(router, lengths, r.pooling_kernel_size)
        if r.cosine:
            pooled_router = F.normalize(pooled_router, dim=-1)
        return PooledStates(
            pooled_router,
            chunk_pool(k, lengths, r.pooling_kernel_size),
            chunk_pool(v, lengths, r.pooling_kernel_size),
        )

    def router_query(self, h: Tensor) -> Tensor:
        """Router queries [B, T, Hr, Dr] of h [B, T, d], normalised per head where the model routes by cosine."""
        r = self.config.router
        query = self.router_q_proj(h).view(*h.shape[:-1], r.router_heads, r.router_head_dim)
        return F.normalize(query, dim=-1) if r.cosine else query

    def forward(
        self,
        h: Tensor,
        positions: Tensor,
        *,
        causal: bool,
        mask: Tensor,
        memory: LayerMemory | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Attend h [B, T, d] over [memory ; itself]; `mask` [B, T] is True at real tokens.

        Returns the output [B, T, d] and this layer's own K and V [B, T, G, D].
        """
        q = self.queries(h, positions)
        k, v = self.keys_values(h, positions)
        if memory is None:
            memory = LayerMemory(k[:, :0], v[:, :0], mask[:, :0])
        out = memory_attention(q, k, v, memory.keys, memory.values, memory.mask, mask, causal=causal)
        return self.o_proj(out.flatten(-2)), k, v


class MSALayer(nn.Module):
    """Pre-norm residual block around MSAAttention and a gated MLP: a Qwen3 layer, causal or not."""

    def __init__(self, config: ModelConfig, layer: int):
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = MSAAttention(config, layer)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = GatedMLP(config.hidden_size, config.intermediate_size)

    def forward(
        self, x: Tensor, positions: Tensor, *, causal: bool, mask: Tensor, memory: LayerMemory | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Residual stream [B, T, d] in and out, with this layer's K and V."""
        out, k, v = self.self_attn(self.input_layernorm(x), positions, causal=causal, mask=mask, memory=memory)
        x = x + out
        return x + self.mlp(self.post_attention_layernorm(x)), k, v
