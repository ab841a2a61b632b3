"""A small Llama-like language model that words questions: read from a GGUF file, trained, and sampled from.

Notable choices: rotations pair neighbouring dimensions, as GGUF files order the weights; several samples of one prompt share
the prompt's keys and values, which are read once for all of them; nothing is cached beyond one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Sizes:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    theta: float
    eps: float

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads


class Layer(nn.Module):
    def __init__(self, s: Sizes, wide: int):
        super().__init__()
        self.s = s
        self.attn_norm, self.ffn_norm = (nn.RMSNorm(s.hidden, s.eps) for _ in range(2))
        self.attn_q, self.attn_output = (nn.Linear(s.hidden, s.hidden, bias=False) for _ in range(2))
        self.attn_k, self.attn_v = (nn.Linear(s.hidden, s.kv_heads * s.head_dim, bias=False) for _ in range(2))
        self.ffn_gate, self.ffn_up = (nn.Linear(s.hidden, wide, bias=False) for _ in range(2))
        self.ffn_down = nn.Linear(wide, s.hidden, bias=False)

    def qkv(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [B, T, d] -> rotated q [B, H, T, D], rotated k and v [B, G, T, D]; `cos`, `sin` [B or 1, T, D/2]."""
        x = self.attn_norm(x)
        q, k, v = (
            m(x).unflatten(-1, (-1, self.s.head_dim)).transpose(1, 2) for m in (self.attn_q, self.attn_k, self.attn_v)
        )
        return rotated(q, cos, sin), rotated(k, cos, sin), v

    def rest(self, x: Tensor, attended: Tensor) -> Tensor:
        """x and attended [B, T, d] -> x after the layer."""
        x = x + self.attn_output(attended)
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """x [B, N, T, D] with neighbouring dimensions turned by a position's angles (arXiv 2104.09864)."""
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = cos[:, None].to(x.dtype), sin[:, None].to(x.dtype)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


class Generator(nn.Module):
    """Tied embeddings; `forward` for training, `sample` for many continuations of each prompt."""

    def __init__(self, s: Sizes, vocab: int, wide: int):
        super().__init__()
        self.s = s
        self.token_embd = nn.Embedding(vocab, s.hidden)
        self.blk = nn.ModuleList(Layer(s, wide) for _ in range(s.layers))
        self.output_norm = nn.RMSNorm(s.hidden, s.eps)

    def angles(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        half = torch.arange(0, self.s.head_dim, 2, device=positions.device) / self.s.head_dim
        at = positions[..., None] * self.s.theta**-half
        return at.cos(), at.sin()

    def forward(self, ids: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """ids [B, T], padded on the right -> final states [B, T, d] and each layer's K and V [B, G, T, D]."""
        x, cached = self.token_embd(ids), []
        cos, sin = self.angles(torch.arange(ids.shape[1], device=ids.device)[None])
        for layer in self.blk:
            q, k, v = layer.qkv(x, cos, sin)
            cached.append((k, v))
            out = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
            x = layer.rest(x, out.transpose(1, 2).flatten(2))
        return self.output_norm(x), cached

    def logits(self, states: Tensor) -> Tensor:
        return F.linear(states, self.token_embd.weight)

    @torch.inference_mode()
    def sample(self, ids: Tensor, lengths: Tensor, first: Tensor, most: int, stop: int, k: int, temperature: float) -> Tensor:
        """Prompts ids [P, T] of `lengths` [P], each continued from its tokens first [P, N] -> tokens [P, N, most], after `stop` only `stop`."""
        _, prompt = self(ids)
        (p, n), s, device = first.shape, self.s, ids.device
        hidden = (torch.arange(ids.shape[1], device=device)[None] >= lengths[:, None])[:, None, None, None]
        own = [(x.new_empty(p, n, s.kv_heads, most, s.head_dim), x.new_empty(p, n, s.kv_heads, most, s.head_dim)) for x, _ in prompt]
        token, done = first.flatten(), torch.zeros(p * n, dtype=torch.bool, device=device)
        out = torch.full((p * n, most), stop, device=device)
        for t in range(most):
            x = self.token_embd(token)[:, None]
            cos, sin = self.angles((lengths + t).repeat_interleave(n)[:, None])
            for layer, (pk, pv), (ok, ov) in zip(self.blk, prompt, own, strict=True):
                q, key, value = layer.qkv(x, cos, sin)
                ok[:, :, :, t], ov[:, :, :, t] = key.view(p, n, -1, s.head_dim), value.view(p, n, -1, s.head_dim)
                q = q.view(p, n, s.kv_heads, -1, s.head_dim)
                attended = self._attend(q, pk, pv, ok[:, :, :, : t + 1], ov[:, :, :, : t + 1], hidden)
                x = layer.rest(x, attended.reshape(p * n, 1, s.hidden))
            best = (self.logits(self.output_norm(x[:, 0])).float() / temperature).topk(k)
            drawn = torch.multinomial(best.values.softmax(-1), 1)
            token = torch.where(done, stop, best.indices.gather(1, drawn)[:, 0])
            out[:, t] = token
            done |= token == stop
            if t % 8 == 7 and bool(done.all()):
                break
        return out.view(p, n, most)

    @staticmethod
    def _attend(q: Tensor, pk: Tensor, pv: Tensor, ok: Tensor, ov: Tensor, hidden: Tensor) -> Tensor:
        """q [P, N, G, R, D] over a prompt's K, V [P, G, T, D], shared by its N samples, and each one's own [P, N, G, S, D]."""
        p, n, g, r, d = q.shape
        shared = q.transpose(1, 2).reshape(p, g, n * r, d)
        over_prompt = (shared @ pk.transpose(-1, -2)).view(p, g, n, r, -1).transpose(1, 2).masked_fill(hidden, float("-inf"))
        over_own = q @ ok.transpose(-1, -2)
        weights = (torch.cat([over_prompt, over_own], -1).float() * d**-0.5).softmax(-1).to(q.dtype)
        a, b = weights.split([over_prompt.shape[-1], over_own.shape[-1]], -1)
        from_prompt = (a.transpose(1, 2).reshape(p, g, n * r, -1) @ pv).view(p, g, n, r, d).transpose(1, 2)
        return from_prompt + b @ ov


def from_gguf(path: Path) -> tuple[Generator, Tokenizer]:
    """Model (float32) and tokenizer of a GGUF file of llama architecture with a byte-level BPE."""
    from gguf import GGUFReader, dequantize

    reader = GGUFReader(path)

    def value(key: str):
        return reader.fields[key].contents()

    s = Sizes(
        value("llama.embedding_length"),
        value("llama.block_count"),
        value("llama.attention.head_count"),
        value("llama.attention.head_count_kv"),
        value("llama.rope.freq_base"),
        value("llama.attention.layer_norm_rms_epsilon"),
    )
    words = value("tokenizer.ggml.tokens")
    model = Generator(s, len(words), value("llama.feed_forward_length"))
    weights = {t.name: torch.from_numpy(dequantize(t.data, t.tensor_type).copy()).float() for t in reader.tensors}
    weights.pop("output.weight", None)
    model.load_state_dict(weights)
    pairs = [tuple(m.split(" ")) for m in value("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE({w: i for i, w in enumerate(words)}, pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return model, tokenizer
