"""What retrieval is compared with: full text (BM25), dense vectors of the untouched backbone, both fused, two steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional as F

from engine.model.inputs import pad
from engine.store import Store
from training.train import load

DEPTH = 50
Ranking = list[int]
Retriever = Callable[[str], Ranking]


class Dense:
    """all-MiniLM-L6-v2 as published: mean of the last states of `title : text` (at most 256 tokens), cosine."""

    def __init__(self, folder: Path, documents: list[tuple[int, str, str]], batch: int = 32):
        self.model, self.inputs = load(folder)
        self.model.eval()
        self.ids = [i for i, _, _ in documents]
        rows = self.inputs.documents([(title, text) for _, title, text in documents])
        self.vectors = torch.empty(len(rows), self.model.config.hidden_size)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        for begin in range(0, len(order), batch):
            picked = order[begin : begin + batch]
            self.vectors[picked] = self._embed([rows[i] for i in picked])

    @torch.inference_mode()
    def _embed(self, rows: list[list[int]]) -> torch.Tensor:
        ids, mask = pad(rows)
        states = self.model.encode_backbone(ids, mask) * mask.unsqueeze(-1)
        return F.normalize(states.sum(1), dim=-1)

    def __call__(self, question: str) -> Ranking:
        ids = self.inputs.tokenizer.encode(question, add_special_tokens=False).ids[:254]
        scores = self.vectors @ self._embed([[self.inputs.cls, *ids, self.inputs.sep]])[0]
        return [self.ids[i] for i in scores.topk(min(DEPTH, len(self.ids))).indices.tolist()]


class Lexical:
    """BM25 of a question's words over the memory's own full-text index."""

    def __init__(self, store: Store):
        self.store = store

    def __call__(self, question: str) -> Ranking:
        return [document for document, _ in self.store.search_text(question, DEPTH, phrases=False)]


def fused(*retrievers: Retriever) -> Retriever:
    """Reciprocal-rank fusion with the usual constant 60 (Cormack et al. 2009)."""
    return lambda question: fuse([retriever(question) for retriever in retrievers])


def fuse(rankings: list[Ranking]) -> Ranking:
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking, 1):
            scores[document] = scores.get(document, 0.0) + 1 / (60 + rank)
    return sorted(scores, key=lambda d: (-scores[d], d))


def two_steps(retriever: Retriever, text_of: Callable[[int], str], keep: int = 2) -> Retriever:
    """The best passage's text appended to the question, retrieved again; the first `keep` of step one stay in front."""

    def ask(question: str) -> Ranking:
        first = retriever(question)
        if not first:
            return first
        second = retriever(f"{question} {text_of(first[0])}")
        front = first[:keep]
        return front + [d for d in fuse([first, second]) if d not in front]

    return ask
