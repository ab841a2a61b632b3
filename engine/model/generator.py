"""A published decoder checkpoint in the model's seat: it encodes and routes; its generative loop is not built yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from engine.errors import UnsupportedError
from engine.model.interface import Answered, Candidates, Context, RoutedMemory
from engine.model.prompts import HEAD, prompt, tokenise
from engine.model.qwen3 import Qwen3MSA
from engine.model.states import DocumentStates
from engine.model.tokenizer import TokenCounter

DOCUMENT_TOKENS = 512
BATCH = 8


class _Recording:
    """Passes a prefill's routing through and keeps every layer's scores."""

    def __init__(self, memory: RoutedMemory):
        self.memory = memory
        self.seen: list[Tensor] = []

    def route(self, layer: int, query: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
        scores = self.memory.scores(layer, query, mask)
        self.seen.append(scores)
        best = scores.topk(min(k, scores.shape[1]))
        return best.values, best.indices

    def fetch(self, layer: int, documents: Sequence[int]) -> tuple[Tensor, Tensor]:
        return self.memory.fetch(layer, documents)


class GenerativeModel:
    """MemoryModel over a Qwen3MSA. Documents are framed without a number: ids are not known when they are stored."""

    def __init__(self, model: Qwen3MSA, tokenizer: Tokenizer, name: str, fingerprint: str):
        self.model, self.tokenizer = model.eval(), tokenizer
        self.name, self.fingerprint = name, fingerprint
        self.config = model.config
        self.device = model.device
        self.max_text_tokens = DOCUMENT_TOKENS
        self.count_tokens = TokenCounter(tokenizer)
        self.policy: dict[str, Any] = {}

    @torch.inference_mode()
    def encode_documents(self, documents: list[tuple[str, str]]) -> list[DocumentStates]:
        framed = [f"<|im_start|>{title}\n{text}<|im_end|>" for title, text in documents]
        rows = [e.ids for e in self.tokenizer.encode_batch_fast(framed, add_special_tokens=False)]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        states: dict[int, DocumentStates] = {}
        for begin in range(0, len(order), BATCH):
            picked = order[begin : begin + BATCH]
            states.update(zip(picked, self.model.encode_documents([rows[i] for i in picked]), strict=True))
        return [states[i] for i in range(len(rows))]

    @torch.inference_mode()
    def route(self, contexts: list[Context], memory: RoutedMemory) -> Tensor:
        head = self.model.encode_head(self.tokenizer.encode(HEAD, add_special_tokens=False).ids)
        rows = []
        for context in contexts:
            pieces = prompt(context.question, [])
            pieces[1:1] = [(f"{e.title}\n{e.text}\n", e is context.evidence[-1]) for e in context.evidence]
            ids, mask = tokenise(self.tokenizer, pieces)
            recording = _Recording(memory)
            self.model.prefill(ids, mask, recording, head, self.config.router.top_k_docs)
            rows.append(torch.stack([scores[0] for scores in recording.seen]).mean(0))
        return torch.stack(rows)

    def choose(self, contexts: list[Context], candidates: list[Candidates]) -> list[list[float]]:
        raise UnsupportedError(f"{self.name} can route (msa recall), but answering with a generative model is not built")

    def answer(self, contexts: list[Context], candidates: list[Candidates]) -> list[Answered]:
        return self.choose(contexts, candidates)  # type: ignore[return-value]

    def relevance(self, contexts: list[Context]) -> list[float] | None:
        return None
