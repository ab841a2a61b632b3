"""A larger reader for training time alone, whose readings the shipped one learns from (Hinton et al. 2015).

all-mpnet-base-v2 (Apache-2.0; 12 layers of 768) has the same word pieces as the bundled model under other numbers, so it
reads the very same token rows and its logits stand token by token beside the student's. It never ships.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import MPNetConfig, MPNetModel

from engine.model.heads import ANSWER_KINDS, Reading

RENAMED = {"[PAD]": "<pad>", "[CLS]": "<s>", "[SEP]": "</s>", "[MASK]": "<mask>"}
FIRST_POSITION = 2
LONGEST = 512


class ReadingHeads(nn.Module):
    """The reading heads of engine.model.heads over wider states; position 0 stands for the whole context."""

    def __init__(self, width: int):
        super().__init__()
        self.span = nn.Linear(width, 2)
        self.kind = nn.Linear(width, len(ANSWER_KINDS))
        self.enough = nn.Linear(width, 1)
        self.relevance = nn.Linear(width, 1)

    def read(self, states: Tensor) -> Reading:
        """states [B, T, d]."""
        start, end = self.span(states).unbind(-1)
        return Reading(start, end, self.kind(states[:, 0]))


class TeacherReader(nn.Module):
    """Takes the student's place in `training.step.Step` as far as reading goes; it knows no memory."""

    def __init__(self, config: MPNetConfig, student_tokens: Tokenizer, own_tokens: Tokenizer):
        super().__init__()
        self.mpnet = MPNetModel(config, add_pooling_layer=False)
        self.heads = ReadingHeads(config.hidden_size)
        self.norm = self.mpnet.embeddings.LayerNorm
        self.rate = config.hidden_dropout_prob
        own = own_tokens.get_vocab()
        of_student = sorted((number, RENAMED.get(token, token)) for token, number in student_tokens.get_vocab().items())
        unknown = own["[UNK]"]
        self.register_buffer("numbers", torch.tensor([own.get(token, unknown) for _, token in of_student]), persistent=False)
        self.mpnet.embeddings.requires_grad_(False)
        self.mpnet.encoder.relative_attention_bias.requires_grad_(False)

    def encode_reading(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        """ids, mask, segments [B, T] of the student's rows -> states [B, T, d]. Segments are not told apart."""
        b, t = ids.shape
        positions = torch.arange(FIRST_POSITION, FIRST_POSITION + t, device=ids.device).expand(b, t)
        embeddings = self.mpnet.embeddings
        x = embeddings.word_embeddings(self.numbers[ids]) + embeddings.position_embeddings(positions)
        x = self._drop(embeddings.LayerNorm(x))
        bias = self.mpnet.encoder.compute_position_bias(x).to(torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype)
        bias = bias.expand(b, -1, -1, -1).masked_fill(~mask[:, None, None].bool(), -1e4)
        for layer in self.mpnet.encoder.layer:
            x = self._layer(layer, x, bias)
        return x

    def _layer(self, layer: nn.Module, x: Tensor, bias: Tensor) -> Tensor:
        attention = layer.attention.attn
        heads = attention.num_attention_heads
        q, k, v = (p(x).unflatten(-1, (heads, -1)).transpose(1, 2) for p in (attention.q, attention.k, attention.v))
        read = F.scaled_dot_product_attention(q, k, v, bias)
        x = layer.attention.LayerNorm(x + self._drop(attention.o(read.transpose(1, 2).flatten(2))))
        return layer.output.LayerNorm(x + self._drop(layer.output.dense(F.gelu(layer.intermediate.dense(x)))))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.rate, self.training)

    def active(self, x: Tensor, mask: Tensor, memory: list) -> Tensor:
        return x


def load_teacher(folder: Path, student_tokens: Tokenizer) -> TeacherReader:
    """From all-mpnet-base-v2's folder (heads new), or from one that `save_teacher` wrote."""
    config = MPNetConfig.from_dict(json.loads((folder / "config.json").read_text()))
    model = TeacherReader(config, student_tokens, Tokenizer.from_file(str(folder / "tokenizer.json")))
    tensors = {k: v.float() for k, v in load_file(folder / "model.safetensors").items() if v.is_floating_point()}
    if not any(k.startswith("heads.") for k in tensors):
        tensors = {f"mpnet.{k}": v for k, v in tensors.items() if not k.startswith("pooler.")}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    if unexpected or any(not k.startswith(("heads.", "norm.")) for k in missing):
        raise ValueError(f"{folder}: not a teacher: {[*unexpected, *missing][:4]}")
    return model


def save_teacher(model: TeacherReader, start: Path, out: Path) -> None:
    """bf16, so that it takes 220 MB."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.bfloat16().contiguous() for k, v in model.state_dict().items() if not k.startswith("norm.")}
    save_file(tensors, out / "next.safetensors")
    (out / "next.safetensors").replace(out / "model.safetensors")
    for name in ("config.json", "tokenizer.json"):
        (out / name).write_bytes((start / name).read_bytes())
