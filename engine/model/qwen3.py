"""The decoder backbone: Qwen3 with MSA in its router layers (arXiv 2603.23516), the published checkpoint's model.

Notable choices: the submodules are named as the published parameters are. Whatever stands before a layer's own
tokens (template head, chosen documents, tokens fed earlier) is one `LayerMemory`, so the cache of a running
generation is a list of them and needs no code of its own. The chosen documents stand after the head in ascending
order; their K is already roped, so that order changes rounding only. Several tokens fed at once are causal among
themselves. Nothing here turns gradients off but `generate`: training runs the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.attention import LayerMemory, MSALayer, PooledStates
from engine.model.config import ModelConfig
from engine.model.layers import RMSNorm
from engine.model.states import DocumentStates
from kernels import chunk_lengths, routing_topk

HEAD_TOKENS = 3
"""Length of the template head. Active tokens stand at positions HEAD_TOKENS + top_k and on, however much is read."""


class Memory(Protocol):
    """What a prefill routes over: one router layer at a time, counted among the router layers from 0."""

    def route(self, layer: int, query: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Router queries [1, T, Hr, Dr] of the tokens in mask [1, T] -> (scores, documents) [1, <= k], best first."""

    def fetch(self, layer: int, documents: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Pooled K and V [C, G, D] of all chunks of `documents`, in the order given."""


class PooledMemory:
    """A Memory over the states of a few documents, all in RAM."""

    def __init__(self, documents: list[DocumentStates], config: ModelConfig):
        self.documents = documents
        self.router = config.router
        counts = torch.tensor([d.keys.shape[1] for d in documents])
        self.chunk_document = torch.repeat_interleave(torch.arange(len(documents)), counts)
        self.router_keys = torch.cat([d.router_keys for d in documents], 1)  # [L, C, Gr, Dr]

    def route(self, layer: int, query: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
        keys = self.router_keys[layer].to(query.device)
        owner = self.chunk_document.to(query.device)
        k = min(k, len(self.documents))
        reduce, scale = self.router.query_reduce_method, self.router.routing_scale
        return routing_topk(query, mask, keys, None, owner, len(self.documents), k, reduce, scale)

    def fetch(self, layer: int, documents: Sequence[int]) -> tuple[Tensor, Tensor]:
        chosen = [self.documents[i] for i in documents]
        return torch.cat([d.keys[layer] for d in chosen]), torch.cat([d.values[layer] for d in chosen])


@dataclass
class Selection:
    """What one router layer chose: documents and their scores, best first, and the router query [T, Hr, Dr] it used."""

    documents: list[int]
    scores: list[float]
    query: Tensor


@dataclass
class Cache:
    """What every layer reads before the next token, and that token's position."""

    layers: list[LayerMemory | None]
    position: int = 0


@dataclass
class Prefill:
    """`hidden` [T, d] after the final norm, `logits` [vocabulary] of the last token, one Selection a router layer."""

    hidden: Tensor
    logits: Tensor
    cache: Cache
    selections: list[Selection]


class Decoder(nn.Module):
    """Embeddings, layers and final norm: the part the published parameter names call `model`."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(MSALayer(config, i) for i in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)


class Qwen3MSA(nn.Module):
    """A causal language model that encodes documents alone and reads the few it routes to."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.model = Decoder(config)
        if not config.tie_word_embeddings:
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def logits(self, hidden: Tensor) -> Tensor:
        """Final states [..., d] -> next-token logits [..., vocabulary]."""
        tied = self.config.tie_word_embeddings
        return F.linear(hidden, self.model.embed_tokens.weight if tied else self.lm_head.weight)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Final states [B, T, d] of ids [B, T], each row alone from position 0, without any memory.

        `mask` [B, T] is True at real tokens; padding stands on the right.
        """
        x = self.model.embed_tokens(ids)
        positions = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        mask = torch.ones_like(ids, dtype=torch.bool) if mask is None else mask
        for layer in self.model.layers:
            x, _, _ = layer(x, positions, causal=True, mask=mask)
        return self.model.norm(x)

    def encode_documents(self, ids: list[list[int]]) -> list[DocumentStates]:
        """Pooled states of framed documents, each alone, causal, from position 0; padded to the longest of them."""
        lengths = [len(document) for document in ids]
        rows = nn.utils.rnn.pad_sequence([torch.tensor(d, dtype=torch.long) for d in ids], batch_first=True)
        rows = rows.to(self.device)
        positions = torch.arange(rows.shape[1], device=rows.device).expand_as(rows)
        mask = positions < torch.tensor(lengths, device=rows.device)[:, None]
        x = self.model.embed_tokens(rows)
        last = max(self.config.router.router_layers)
        pooled: list[PooledStates] = []
        for index, layer in enumerate(self.model.layers[: last + 1]):
            entering = x
            if index < last:
                x, k, v = layer(entering, positions, causal=True, mask=mask)
            else:
                # Nothing above is stored, so the last router layer need not attend.
                k, v = layer.self_attn.keys_values(layer.input_layernorm(entering), positions)
            if layer.self_attn.is_router:
                h = layer.input_layernorm(entering[mask])
                pooled.append(layer.self_attn.pool(h, k[mask], v[mask], lengths))
        return self._split(pooled, lengths)

    def encode_head(self, ids: list[int]) -> list[LayerMemory]:
        """Full K/V [1, T, G, D] of the template head in every layer, from position 0."""
        cache = self.empty_cache()
        self.feed(ids, cache)
        return [layer for layer in cache.layers if layer is not None]

    def empty_cache(self) -> Cache:
        """Nothing read yet, next position 0."""
        return Cache([None] * len(self.model.layers))

    def prefill(
        self, ids: list[int], routing_mask: list[bool], memory: Memory, head: list[LayerMemory], top_k: int
    ) -> Prefill:
        """Read the active tokens; each router layer chooses up to top_k documents by the tokens in `routing_mask`.

        The choice stays for everything fed to the returned cache. top_k also sets the positions, so it belongs
        to the model; a smaller memory gives fewer documents at the same positions.
        """
        mask = torch.tensor([routing_mask], device=self.device)
        selections: list[Selection] = []

        def reads(index: int, layer: MSALayer, x: Tensor) -> LayerMemory:
            if not layer.self_attn.is_router:
                return head[index]
            slot = len(selections)
            query = layer.self_attn.router_query(layer.input_layernorm(x))
            scores, documents = memory.route(slot, query, mask, top_k)
            # Where no token routes, every score is -inf and nothing is read.
            chosen = documents[0][scores[0] > -torch.inf].tolist()
            selections.append(Selection(chosen, scores[0][: len(chosen)].tolist(), query[0]))
            if not chosen:
                return head[index]
            keys, values = memory.fetch(slot, sorted(chosen))
            return _append(head[index], keys.to(x)[None], values.to(x)[None])

        cache = Cache(list(head), HEAD_TOKENS + top_k)
        hidden = self._run(ids, cache, reads)
        return Prefill(hidden, self.logits(hidden[-1]), cache, selections)

    def feed(self, ids: list[int], cache: Cache) -> Tensor:
        """Final states [T, d] of further tokens, causal; `cache` grows by them."""
        return self._run(ids, cache, lambda index, layer, x: cache.layers[index])

    def step(self, token: int, cache: Cache) -> Tensor:
        """Logits [vocabulary] after one more token."""
        return self.logits(self.feed([token], cache)[0])

    @torch.no_grad()
    def generate(self, logits: Tensor, cache: Cache, max_tokens: int, stop: Sequence[int] = ()) -> list[int]:
        """Greedy continuation from the logits of the last token fed; ends after a token of `stop`, which is kept."""
        tokens = [int(logits.argmax())]
        while len(tokens) < max_tokens and tokens[-1] not in stop:
            tokens.append(int(self.step(tokens[-1], cache).argmax()))
        return tokens

    @property
    def device(self) -> torch.device:
        return self.model.embed_tokens.weight.device

    def _run(
        self, ids: list[int], cache: Cache, reads: Callable[[int, MSALayer, Tensor], LayerMemory | None]
    ) -> Tensor:
        """One causal pass of ids over what `reads(index, layer, x)` gives each layer; the cache grows by it."""
        x = self.model.embed_tokens(torch.tensor([ids], device=self.device))
        positions = torch.arange(cache.position, cache.position + len(ids), device=self.device)[None]
        mask = torch.ones_like(positions, dtype=torch.bool)
        for index, layer in enumerate(self.model.layers):
            memory = reads(index, layer, x)
            x, k, v = layer(x, positions, causal=True, mask=mask, memory=memory)
            cache.layers[index] = _append(memory, k, v)
        cache.position += len(ids)
        return self.model.norm(x)[0]

    def _split(self, pooled: list[PooledStates], lengths: list[int]) -> list[DocumentStates]:
        """Packed states of each router layer -> states of each document, on the CPU."""
        counts = chunk_lengths(lengths, self.config.router.pooling_kernel_size)
        stacked = (torch.stack([getattr(p, name) for p in pooled]) for name in ("router_keys", "keys", "values"))
        parts = [tensor.cpu().split(counts, dim=1) for tensor in stacked]
        return [DocumentStates(*states, n) for *states, n in zip(*parts, lengths, strict=True)]


def _append(memory: LayerMemory | None, keys: Tensor, values: Tensor) -> LayerMemory:
    """`memory` followed by visible keys and values [B, N, G, D]."""
    visible = torch.ones(keys.shape[:2], dtype=torch.bool, device=keys.device)
    if memory is None:
        return LayerMemory(keys, values, visible)
    return LayerMemory(
        torch.cat([memory.keys, keys], 1), torch.cat([memory.values, values], 1), torch.cat([memory.mask, visible], 1)
    )
