"""A language model of the Llama family that words questions: read from a GGUF file, trained, sampled from, and asked what it holds likely.

Notable choices: several samples of one prompt share the prompt's keys and values, which are read once for all of them; what is
sampled before a separator may be drawn at another temperature than what follows it; nothing is cached beyond one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from torch.nn import functional as F

WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How a `qwen2` vocabulary takes text apart before it joins bytes."""

Cache = list[tuple[Tensor, Tensor]]
"""Each layer's K and V [P, G, T, D]."""


@dataclass(frozen=True)
class Sizes:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    theta: float
    eps: float
    biased: bool = False
    """Whether Q, K and V have biases (qwen2)."""
    halves: bool = False
    """Rotations pair a dimension with that half a head further on (qwen2), not with its neighbour (llama, as GGUF files order it)."""

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads


@dataclass(frozen=True)
class Drawing:
    """How to sample: at most `most` tokens, `stop` ends; before `apart` has come at `before`, then at `after`, of the `k` likeliest."""

    most: int
    stop: int
    apart: int
    before: float
    after: float
    k: int = 40
    finished: float = 0.97
    """Enough when this share of the samples has stopped."""


class Layer(nn.Module):
    def __init__(self, s: Sizes, wide: int):
        super().__init__()
        self.s = s
        self.attn_norm, self.ffn_norm = (nn.RMSNorm(s.hidden, s.eps) for _ in range(2))
        self.attn_q = nn.Linear(s.hidden, s.hidden, bias=s.biased)
        self.attn_k, self.attn_v = (nn.Linear(s.hidden, s.kv_heads * s.head_dim, bias=s.biased) for _ in range(2))
        self.attn_output = nn.Linear(s.hidden, s.hidden, bias=False)
        self.ffn_gate, self.ffn_up = (nn.Linear(s.hidden, wide, bias=False) for _ in range(2))
        self.ffn_down = nn.Linear(wide, s.hidden, bias=False)

    def qkv(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [B, T, d] -> rotated q [B, H, T, D], rotated k and v [B, G, T, D]; `cos`, `sin` [B or 1, T, D/2]."""
        x = self.attn_norm(x)
        q, k, v = (
            m(x).unflatten(-1, (-1, self.s.head_dim)).transpose(1, 2) for m in (self.attn_q, self.attn_k, self.attn_v)
        )
        return rotated(q, cos, sin, self.s.halves), rotated(k, cos, sin, self.s.halves), v

    def rest(self, x: Tensor, attended: Tensor) -> Tensor:
        """x and attended [B, T, d] -> x after the layer."""
        x = x + self.attn_output(attended)
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


def rotated(x: Tensor, cos: Tensor, sin: Tensor, halves: bool) -> Tensor:
    """x [B, N, T, D], its pairs of dimensions turned by a position's angles (arXiv 2104.09864)."""
    a, b = x.chunk(2, -1) if halves else x.unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = cos[:, None].to(x.dtype), sin[:, None].to(x.dtype)
    turned = a * cos - b * sin, a * sin + b * cos
    return torch.cat(turned, -1) if halves else torch.stack(turned, -1).flatten(-2)


class Generator(nn.Module):
    """Tied embeddings; `forward` for training, `sample` and `likelihood` for many continuations of each prompt."""

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

    def forward(self, ids: Tensor) -> tuple[Tensor, Cache]:
        """ids [B, T], padded on the right -> final states [B, T, d] and each layer's K and V."""
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
    def prompted(self, ids: Tensor, lengths: Tensor) -> tuple[Cache, Tensor]:
        """Prompts ids [P, T] of `lengths` [P] -> their keys and values, and which of them are padding [P, T]."""
        return self(ids)[1], torch.arange(ids.shape[1], device=ids.device)[None] >= lengths[:, None]

    @torch.inference_mode()
    def sample(self, prompt: Cache, hidden: Tensor, first: Tensor, how: Drawing) -> Tensor:
        """Each prompt continued from its tokens first [P, N] -> tokens [P, N, most], after `stop` only `stop`."""
        (p, n), s, device = first.shape, self.s, first.device
        lengths = (~hidden).sum(1)
        own = [tuple(x.new_empty(p, n, s.kv_heads, how.most, s.head_dim) for _ in range(2)) for x, _ in prompt]
        token = first.flatten()
        done, parted = (torch.zeros(p * n, dtype=torch.bool, device=device) for _ in range(2))
        out = torch.full((p * n, how.most), how.stop, device=device)
        for t in range(how.most):
            x = self.token_embd(token)[:, None]
            cos, sin = self.angles((lengths + t).repeat_interleave(n)[:, None])
            for layer, (pk, pv), (ok, ov) in zip(self.blk, prompt, own, strict=True):
                q, key, value = layer.qkv(x, cos, sin)
                ok[:, :, :, t], ov[:, :, :, t] = key.view(p, n, -1, s.head_dim), value.view(p, n, -1, s.head_dim)
                q = q.view(p, n, s.kv_heads, -1, s.head_dim)
                attended = attend(q, pk, pv, ok[:, :, :, : t + 1], ov[:, :, :, : t + 1], hidden, None)
                x = layer.rest(x, attended.reshape(p * n, 1, s.hidden))
            best = self.logits(self.output_norm(x[:, 0])).float().topk(how.k)
            heat = torch.where(parted, how.after, how.before)[:, None]
            drawn = torch.multinomial((best.values / heat).softmax(-1), 1)
            token = torch.where(done, how.stop, best.indices.gather(1, drawn)[:, 0])
            out[:, t] = token
            done |= token == how.stop
            parted |= token == how.apart
            if t % 4 == 3 and float(done.float().mean()) >= how.finished:
                break
        return out.view(p, n, how.most)

    @torch.inference_mode()
    def likelihood(self, prompt: Cache, hidden: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Continuations ids [P, N, L] of each prompt -> the log-probability of each of their tokens but the first [P, N, L - 1], and
        whether none was likelier."""
        (p, n, length), s, device = ids.shape, self.s, ids.device
        x = self.token_embd(ids.view(p * n, length))
        at = (~hidden).sum(1).repeat_interleave(n)[:, None] + torch.arange(length, device=device)
        cos, sin = self.angles(at)
        later = torch.ones(length, length, dtype=torch.bool, device=device).triu(1)
        for layer, (pk, pv) in zip(self.blk, prompt, strict=True):
            q, key, value = layer.qkv(x, cos, sin)
            ok, ov = key.view(p, n, s.kv_heads, length, -1), value.view(p, n, s.kv_heads, length, -1)
            q = q.view(p, n, s.kv_heads, -1, length, s.head_dim).flatten(3, 4)
            attended = attend(q, pk, pv, ok, ov, hidden, later).reshape(p * n, s.heads, length, s.head_dim)
            x = layer.rest(x, attended.transpose(1, 2).flatten(2))
        states = self.output_norm(x[:, :-1])
        told, first = [], []
        for rows, wanted in zip(states.split(64), ids.view(p * n, length)[:, 1:].split(64), strict=True):
            logits = self.logits(rows).float()
            chosen = logits.gather(-1, wanted[..., None])[..., 0]
            told.append(chosen - logits.logsumexp(-1))
            first.append(chosen >= logits.amax(-1))
        return torch.cat(told).view(p, n, -1), torch.cat(first).view(p, n, -1)


def attend(q: Tensor, pk: Tensor, pv: Tensor, ok: Tensor, ov: Tensor, hidden: Tensor, later: Tensor | None) -> Tensor:
    """q [P, N, G, R, D] over a prompt's K, V [P, G, T, D], shared by its N samples (hidden [P, T]: padding), and each one's own
    [P, N, G, S, D]; R holds a group's heads, one token each, or heads by S tokens, of which `later` [S, S] are not yet seen."""
    p, n, g, r, d = q.shape
    shared = q.transpose(1, 2).reshape(p, g, n * r, d)
    over_prompt = (shared @ pk.transpose(-1, -2)).view(p, g, n, r, -1).transpose(1, 2)
    over_prompt = over_prompt.masked_fill(hidden[:, None, None, None], float("-inf"))
    over_own = q @ ok.transpose(-1, -2)
    if later is not None:
        over_own = over_own.unflatten(3, (-1, len(later))).masked_fill(later, float("-inf")).flatten(3, 4)
    weights = (torch.cat([over_prompt, over_own], -1).float() * d**-0.5).softmax(-1).to(q.dtype)
    a, b = weights.split([over_prompt.shape[-1], over_own.shape[-1]], -1)
    from_prompt = (a.transpose(1, 2).reshape(p, g, n * r, -1) @ pv).view(p, g, n, r, d).transpose(1, 2)
    return from_prompt + b @ ov


def tokenizer_of(words: list[str], merges: list[str], kind: str) -> Tokenizer:
    """The byte-level BPE of a GGUF file's lists."""
    tokenizer = Tokenizer(models.BPE({w: i for i, w in enumerate(words)}, [tuple(m.split(" ")) for m in merges]))
    pieces = pre_tokenizers.Split(Regex(WORDS), "isolated") if kind == "qwen2" else pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pieces, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind != "qwen2")]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def dequantised(raw: Tensor, kind: str) -> Tensor:
    """Blocks of 256 weights as GGUF packs them [..., bytes], uint8, -> float32 [..., weights]; `kind` Q4_K or Q6_K."""
    blocks = raw.unflatten(-1, (-1, {"Q4_K": 144, "Q6_K": 210}[kind]))

    def halves(at: int) -> Tensor:
        return blocks[..., at : at + 2].contiguous().view(torch.float16).float()

    if kind == "Q4_K":
        s = blocks[..., 4:16]
        low, mid, high = s[..., :4], s[..., 4:8], s[..., 8:]
        scale = torch.cat([low & 63, high & 15 | low >> 6 << 4], -1).float() * halves(0)
        least = torch.cat([mid & 63, high >> 4 | mid >> 6 << 4], -1).float() * halves(2)
        bits = blocks[..., 16:].unflatten(-1, (4, 1, 32))
        q = torch.cat([bits & 15, bits >> 4], -2).flatten(-3, -2)
        return (q * scale[..., None] - least[..., None]).flatten(-3)
    low = blocks[..., :128].unflatten(-1, (2, 2, 32))
    high = blocks[..., 128:192].unflatten(-1, (2, 1, 32))
    scale = blocks[..., 192:208].contiguous().view(torch.int8).float() * halves(208)
    both = torch.cat([low & 15, low >> 4], -2)
    tops = torch.cat([high >> shift & 3 for shift in (0, 2, 4, 6)], -2)
    q = (both | tops << 4).float() - 32
    return (q.flatten(-3).unflatten(-1, (16, 16)) * scale[..., None]).flatten(-3)


def from_gguf(path: Path, device: torch.device = torch.device("cpu")) -> tuple[Generator, Tokenizer]:
    """Model (float32) and tokenizer of a GGUF file of architecture llama or qwen2 with a byte-level BPE."""
    from gguf import GGUFReader, dequantize

    reader = GGUFReader(path)
    kind = reader.fields["general.architecture"].contents()

    def value(key: str):
        return reader.fields[key].contents()

    s = Sizes(
        value(f"{kind}.embedding_length"),
        value(f"{kind}.block_count"),
        value(f"{kind}.attention.head_count"),
        value(f"{kind}.attention.head_count_kv"),
        value(f"{kind}.rope.freq_base"),
        value(f"{kind}.attention.layer_norm_rms_epsilon"),
        kind == "qwen2",
        kind == "qwen2",
    )
    words = value("tokenizer.ggml.tokens")
    with torch.device("meta"):
        model = Generator(s, len(words), value(f"{kind}.feed_forward_length"))

    def read(tensor) -> Tensor:
        if tensor.tensor_type.name in ("Q4_K", "Q6_K"):
            return dequantised(torch.from_numpy(tensor.data.copy()).to(device), tensor.tensor_type.name)
        return torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy()).float().to(device)

    weights = {t.name: read(t) for t in reader.tensors if t.name != "output.weight"}
    model.load_state_dict(weights, assign=True)
    return model, tokenizer_of(words, value("tokenizer.ggml.merges"), kind)
