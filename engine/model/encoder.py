"""The bundled backbone: a bidirectional post-norm encoder under MSA layers, with pointing heads on top.

Notable choices: the lower layers keep learned positions, restarting at 0 for each document and for the active
context; the MSA layers add document-wise rope, with the active context after the memory (from `top_k_docs` on).
Their output projections start at zero and their router projections at identity, so before any training the model
routes exactly as its pretrained backbone compares texts. Comparing and reading pull the same weights in different
directions, so each may have a stack of its own: documents and routing go through `backbone`, the active context that
is read through `reader`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.attention import LayerMemory, MSALayer, PooledStates
from engine.model.config import ModelConfig
from engine.model.heads import Heads, Judge
from engine.model.layers import RMSNorm


class BackboneLayer(nn.Module):
    """Post-norm transformer encoder layer (Vaswani et al. 2017) with biases and exact GELU."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        d = config.hidden_size
        self.heads = config.backbone_heads
        self.qkv_proj = nn.Linear(d, 3 * d)
        self.o_proj = nn.Linear(d, d)
        self.attention_norm = nn.LayerNorm(d, config.layer_norm_eps)
        self.up_proj = nn.Linear(d, config.backbone_intermediate_size)
        self.down_proj = nn.Linear(config.backbone_intermediate_size, d)
        self.mlp_norm = nn.LayerNorm(d, config.layer_norm_eps)

    def forward(self, x: Tensor, bias: Tensor | None, adapter: nn.ModuleDict | None = None) -> Tensor:
        """x [B, T, d]; `bias` [B, 1, 1, T] is 0 at real tokens and -inf at padding; `adapter` adds to projections."""

        def project(name: str, x: Tensor) -> Tensor:
            y = getattr(self, name)(x)
            return y if adapter is None else y + adapter[name](x)

        batch, length, d = x.shape
        q, k, v = project("qkv_proj", x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = self.attention_norm(x + project("o_proj", out.transpose(1, 2).reshape(batch, length, d)))
        return self.mlp_norm(x + project("down_proj", F.gelu(project("up_proj", x))))


class LowRank(nn.Module):
    """x -> x A B with A [d_in, r] and B [r, d_out], B zero at first (Hu et al. 2021)."""

    def __init__(self, d_in: int, rank: int, d_out: int):
        super().__init__()
        self.a = nn.Parameter(torch.empty(d_in, rank))
        nn.init.normal_(self.a, std=d_in**-0.5)
        self.b = nn.Parameter(torch.zeros(rank, d_out))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.a @ self.b


def low_rank_adapter(config: ModelConfig) -> nn.ModuleList:
    """One LowRank of `query_adapter_rank` a projection of each of the backbone's layers."""
    d, wide = config.hidden_size, config.backbone_intermediate_size
    sizes = {"qkv_proj": (d, 3 * d), "o_proj": (d, d), "up_proj": (d, wide), "down_proj": (wide, d)}
    return nn.ModuleList(
        nn.ModuleDict({name: LowRank(d_in, config.query_adapter_rank, d_out) for name, (d_in, d_out) in sizes.items()})
        for _ in range(config.backbone_layers)
    )


class Stack(nn.Module):
    """Positions, segments and transformer layers over word embeddings: a BERT-like encoder without its vocabulary."""

    def __init__(self, config: ModelConfig, layers: int):
        super().__init__()
        d = config.hidden_size
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, d)
        self.segment_embeddings = nn.Embedding(2, d)
        self.embedding_norm = nn.LayerNorm(d, config.layer_norm_eps)
        self.layers = nn.ModuleList(BackboneLayer(config) for _ in range(layers))

    def forward(
        self, words: Tensor, mask: Tensor, segments: Tensor | None, adapter: nn.ModuleList | None = None
    ) -> Tensor:
        """Word embeddings [B, T, d] -> states [B, T, d]."""
        positions = torch.arange(words.shape[1], device=words.device)
        segment = self.segment_embeddings.weight[0] if segments is None else self.segment_embeddings(segments)
        x = self.embedding_norm(words + self.position_embeddings(positions) + segment)
        bias = None
        if not bool(mask.all()):
            bias = torch.zeros_like(mask, dtype=x.dtype).masked_fill(~mask, float("-inf"))[:, None, None]
        for index, layer in enumerate(self.layers):
            x = layer(x, bias, adapter[index] if adapter is not None else None)
        return x


class MSAEncoder(nn.Module):
    """Encoder backbone + MSA layers + heads. All masks are True at real tokens."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.backbone = Stack(config, config.backbone_layers)
        self.reader = Stack(config, config.reader_layers) if config.reader_layers else None
        self.query_adapter = (
            low_rank_adapter(config) if config.query_adapter_rank else None
        )
        self.judge = Judge(config) if config.judge else None
        self.layers = nn.ModuleDict(
            {str(i): MSALayer(config, i) for i in range(config.backbone_layers, config.num_hidden_layers)}
        )
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.heads = Heads(config)

    def encode_backbone(self, ids: Tensor, mask: Tensor, segments: Tensor | None = None) -> Tensor:
        """ids [B, T] -> states [B, T, d] that documents are pooled from and router queries come from.

        `segments` [B, T] is 0 for the question or a document, 1 for evidence.
        """
        return self.backbone(self.word_embeddings(ids), mask, segments)

    def encode_query(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        """As `encode_backbone`, for active contexts that route: through the query adapter if they hold evidence,
        which all of a batch do or none."""
        adapter = self.query_adapter if bool(segments.any()) else None
        return self.backbone(self.word_embeddings(ids), mask, segments, adapter)

    def encode_reading(self, ids: Tensor, mask: Tensor, segments: Tensor | None = None) -> Tensor:
        """ids [B, T] -> states [B, T, d] of an active context, for `active`."""
        stack = self.backbone if self.reader is None else self.reader
        return stack(self.word_embeddings(ids), mask, segments)

    def encode_documents(self, ids: Tensor, mask: Tensor) -> list[PooledStates]:
        """Padded documents [B, T] -> one PooledStates a router layer, chunks packed document after document."""
        x = self.encode_backbone(ids, mask)
        lengths = mask.sum(1).tolist()
        positions = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        pooled = []
        for index in range(self.config.backbone_layers, max(self.config.router.router_layers) + 1):
            layer = self.layers[str(index)]
            if index in self.config.router.router_layers:
                # Packed: padding never reaches a projection or a pool.
                h = layer.input_layernorm(x[mask])
                k, v = layer.self_attn.keys_values(h, positions[mask])
                pooled.append(layer.self_attn.pool(h, k, v, lengths))
            if index < max(self.config.router.router_layers):
                x, _, _ = layer(x, positions, causal=False, mask=mask)
        return pooled

    def active(self, x: Tensor, mask: Tensor, memory: list[LayerMemory | None]) -> Tensor:
        """Run the MSA layers over reading states x [B, T, d] of the active context -> final states [B, T, d].

        `memory` holds what each router layer reads, in order; None reads nothing.
        """
        start = self.config.router.top_k_docs
        positions = torch.arange(start, start + x.shape[1], device=x.device).expand(x.shape[:2])
        sources = iter(memory)
        for index, layer in self.layers.items():
            reads = next(sources) if int(index) in self.config.router.router_layers else None
            x, _, _ = layer(x, positions, causal=False, mask=mask, memory=reads)
        return self.norm(x)

    def first_router_query(self, x: Tensor) -> Tensor:
        """Router queries [B, T, Hr, Dr] of the first MSA layer for backbone states: routing before any memory is read."""
        layer = self.layers[str(self.config.backbone_layers)]
        return layer.self_attn.router_query(layer.input_layernorm(x))
