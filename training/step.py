"""One training step of the encoder: forward everything once, add the losses up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.model.attention import LayerMemory
from engine.model.encoder import MSAEncoder
from engine.model.inputs import ActiveRow, EncoderInputs, pad
from training import losses
from training.batches import IGNORED, ActiveLabel, Batch
from training.groups import Group


class Documents:
    """Pooled states of the batch's documents, padded: router_keys [N, C, Dr], keys and values [N, C, G, D], mask [N, C]."""

    def __init__(self, model: MSAEncoder, rows: list[list[int]], group: int):
        device = model.norm.weight.device
        size = model.config.router.pooling_kernel_size
        chunks = [-(-len(r) // size) for r in rows]
        n, longest = len(rows), max(chunks)
        order = sorted(range(n), key=lambda i: len(rows[i]))
        parts: dict[int, tuple[Tensor, Tensor, Tensor]] = {}
        # Groups of like length: little padding, one forward each.
        for begin in range(0, n, group):
            picked = order[begin : begin + group]
            pooled = model.encode_documents(*(t.to(device) for t in pad([rows[i] for i in picked])))[-1]
            counts = [chunks[i] for i in picked]
            split = [t.split(counts) for t in (pooled.router_keys, pooled.keys, pooled.values)]
            parts.update({i: (split[0][j], split[1][j], split[2][j]) for j, i in enumerate(picked)})

        def stack(which: int) -> Tensor:
            tensors = [parts[i][which] for i in range(n)]
            return torch.stack([F.pad(t, (0, 0, 0, 0, 0, longest - t.shape[0])) for t in tensors])

        self.router_keys = stack(0).flatten(2)
        self.keys, self.values = stack(1), stack(2)
        self.mask = (torch.arange(longest)[None] < torch.tensor(chunks)[:, None]).to(device)


def padded(rows: list[ActiveRow], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Token ids, mask and segments [B, T] of active contexts."""
    ids, mask = pad([r.ids for r in rows])
    return ids.to(device), mask.to(device), pad([r.segments for r in rows])[0].to(device)


def routing(model: MSAEncoder, x: Tensor, weights: Tensor, documents: Documents) -> Tensor:
    """Routing scores [B, N]: mean over routing tokens of the cosine, max over a document's chunks."""
    query = model.first_router_query(x).flatten(2).float()
    query = (query * weights.unsqueeze(-1)).sum(1) / weights.sum(1, keepdim=True)
    # A low temperature magnifies what bf16 would round away.
    with torch.autocast(x.device.type, enabled=False):
        scores = torch.einsum("bd,ncd->bnc", query, documents.router_keys.float())
    return scores.masked_fill(~documents.mask, -1e4).amax(-1)


class Step:
    """Computes the losses of a Batch. `teacher` is the untouched backbone, for distillation."""

    def __init__(self, model: MSAEncoder, inputs: EncoderInputs, settings: dict[str, Any], teacher: MSAEncoder | None):
        self.model, self.inputs, self.settings, self.teacher = model, inputs, settings, teacher
        self.device = model.norm.weight.device
        # Rows in one forward: as many of like length as keep the device busy without padding.
        self.group = 16 if self.device.type == "cpu" else 128
        # A CPU core is as quick with two rows of like length as with eight, and pads a sixth less.
        self.reading_group = 2 if self.device.type == "cpu" else 64

    def __call__(self, batch: Batch, distil: bool = True) -> dict[str, Tensor]:
        """Everything at once: documents encoded, routing, choosing, reading with pooled memory in sight."""
        rows = [row[: self.settings["document_tokens"]] for row in self.inputs.documents(batch.documents)]
        documents = Documents(self.model, rows, self.group)
        out, scores = self._contexts(batch.asked, batch.asked_labels, documents, "asked")
        if distil and self.teacher is not None:
            teacher = self._teacher_similarity(batch.asked, rows)
            out["distil"] = losses.similarity_distillation(scores, teacher, self.settings["distil_temperature"])
        if batch.reading:
            out.update(self._contexts(batch.reading, batch.reading_labels, documents, "reading")[0])
        return out

    def reading(self, batch: Batch) -> dict[str, Tensor]:
        """Reading alone, without memory, in groups of like length: most of what a question costs goes to the reader."""
        out: dict[str, Tensor] = {}
        for picked, mask, states in self._read(batch.reading):
            rows, labels = [batch.reading[i] for i in picked], [batch.reading_labels[i] for i in picked]
            for name, value in self._reading_losses(states, mask, rows, labels).items():
                out[name] = out.get(name, 0.0) + value * len(picked) / len(batch.reading)
        return out

    def choosing(self, groups: list[Group]) -> dict[str, Tensor]:
        """Reading without memory where a question's contexts compete with each other."""
        rows = [row for group in groups for row in group.rows]
        of_row = {i: x[j, : len(rows[i].ids)] for picked, _, x in self._read(rows) for j, i in enumerate(picked)}
        states = [of_row[i] for i in range(len(rows))]
        allowed = [losses.mask_of([list(row.places)], len(row.ids))[0].to(self.device) for row in rows]
        parts: dict[str, list[Tensor]] = {"span_among": [], "wanted_among": [], "kind": [], "enough_reading": []}
        first = 0
        for group in groups:
            mine = slice(first, first + len(group.rows))
            first = mine.stop
            starts, ends = zip(*(self.model.heads.span(x).unbind(-1) for x in states[mine]), strict=True)
            heads = torch.stack([x[0] for x in states[mine]])
            relevance = self.model.heads.relevance(heads).squeeze(-1)
            parts["wanted_among"].append(losses.wanted_among(relevance, group.wanted))
            if group.start != IGNORED:
                pointed = (losses.pointed_among(x, allowed[mine], group.wanted, at) for x, at in ((starts, group.start), (ends, group.end)))
                parts["span_among"].append(sum(pointed) / 2)
            if group.kind != IGNORED:
                logits = self.model.heads.kind(heads[group.wanted])
                parts["kind"].append(logits.float().logsumexp(0) - logits[group.kind].float())
            enough = torch.zeros(len(group.rows), device=self.device)
            enough[max(group.wanted, 0)] = float(group.enough)
            parts["enough_reading"].append(losses.enough(self.model.heads.enough(heads).squeeze(-1), enough))
        return {name: torch.stack(values).mean() for name, values in parts.items() if values}

    def _read(self, rows: list[ActiveRow]) -> Iterator[tuple[list[int], Tensor, Tensor]]:
        """Contexts read without memory in groups of like length: their indices, mask [B, T] and final states [B, T, d]."""
        order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
        for begin in range(0, len(order), self.reading_group):
            picked = order[begin : begin + self.reading_group]
            ids, mask, segments = padded([rows[i] for i in picked], self.device)
            yield picked, mask, self.model.active(self.model.encode_reading(ids, mask, segments), mask, [None])

    def _contexts(
        self, rows: list[ActiveRow], labels: list[ActiveLabel], documents: Documents, name: str
    ) -> tuple[dict[str, Tensor], Tensor]:
        model = self.model
        ids, mask, segments = padded(rows, self.device)
        route, _ = pad([row.routing for row in rows])
        scores = routing(model, model.encode_backbone(ids, mask, segments), route.float().to(self.device), documents)
        wanted = losses.mask_of([label.wanted for label in labels], scores.shape[1]).to(self.device)
        own = losses.mask_of([label.wanted + label.forbidden for label in labels], scores.shape[1]).to(self.device)
        read = losses.mask_of([label.read for label in labels], scores.shape[1]).to(self.device)
        candidates = self._candidates(scores.masked_fill(read, -1e4), own)
        keys, values, chunks = (t[candidates] for t in (documents.keys, documents.values, documents.mask))
        reads = LayerMemory(keys.flatten(1, 2), values.flatten(1, 2), chunks.flatten(1, 2))
        states = model.active(model.encode_reading(ids, mask, segments), mask, [reads])
        logits = model.heads.document(states[:, 0], keys, values, chunks, scores.detach().gather(1, candidates))
        out = {
            f"router_{name}": losses.decoupled_contrastive(scores, wanted, ~(wanted | read), self.settings["temperature"]),
            f"document_{name}": losses.wanted_documents(logits, wanted.gather(1, candidates)),
        }
        if name == "reading":
            out.update(self._reading_losses(states, mask, rows, labels))
        return out, scores

    def _reading_losses(
        self, states: Tensor, mask: Tensor, rows: list[ActiveRow], labels: list[ActiveLabel]
    ) -> dict[str, Tensor]:
        reading = self.model.heads.read(states)
        allowed = losses.mask_of([[0, *row.places] for row in rows], mask.shape[1]).to(self.device)
        starts, ends, kinds = (
            torch.tensor([getattr(x, f) for x in labels], device=self.device) for f in ("start", "end", "kind")
        )
        enough = torch.tensor([label.enough for label in labels], device=self.device)
        span = losses.pointed(reading.start, starts, allowed) + losses.pointed(reading.end, ends, allowed)
        kind = losses.pointed(reading.kind, kinds, torch.ones_like(reading.kind, dtype=torch.bool))
        sure = losses.enough(self.model.heads.enough(states[:, 0]).squeeze(-1), enough)
        return {"span": span / 2, "kind": kind, "enough_reading": sure}

    def _candidates(self, scores: Tensor, own: Tensor) -> Tensor:
        """Indices [B, K]: a sample's own documents, then the best-scoring others, in random order."""
        k = min(self.settings["candidates"], scores.shape[1])
        picked = (scores.detach() + own.to(scores.dtype) * 100).topk(k).indices
        return picked.gather(1, torch.rand(picked.shape, device=self.device).argsort(1))

    @torch.no_grad()
    def _teacher_similarity(self, asked: list[ActiveRow], rows: list[list[int]]) -> Tensor:
        def embed(token_rows: list[list[int]]) -> Tensor:
            order = sorted(range(len(token_rows)), key=lambda i: len(token_rows[i]))
            out = torch.empty(len(token_rows), self.model.config.hidden_size, device=self.device)
            for begin in range(0, len(order), self.group):
                picked = order[begin : begin + self.group]
                ids, mask = (t.to(self.device) for t in pad([token_rows[i] for i in picked]))
                x = self.teacher.encode_backbone(ids, mask) * mask.unsqueeze(-1)
                out[picked] = F.normalize(x.float().sum(1), dim=-1)
            return out

        return embed([r.ids for r in asked]) @ embed(rows).T
