"""Soft labels: what a teacher said of a context, token by token, beside what is known of it.

A line holds the context's token row (`ids`, `segments`, `places`: the tokens an answer may stand on), the known answer
(`start`, `end`, `kind`, `enough`; -100 where not known) and the teacher's distributions: `starts` and `ends` as (token, probability)
pairs, the likeliest first, over the places and the null answer at 0, and `kinds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.model.inputs import ActiveRow
from training.batches import ActiveLabel, Batch

KEPT = 10


@dataclass
class Taught:
    """A context with what is known of its answer, and the teacher's (token, probability) pairs and kinds [3]."""

    row: ActiveRow
    label: ActiveLabel
    starts: list[list[float]]
    ends: list[list[float]]
    kinds: list[float]

    @classmethod
    def of(cls, line: dict[str, Any]) -> Taught:
        row = ActiveRow(line["ids"], line["segments"], 0, dict.fromkeys(line["places"], (0, 0, 0)))
        label = ActiveLabel([], [], **{name: line[name] for name in ("enough", "start", "end", "kind")})
        return cls(row, label, line["starts"], line["ends"], line["kinds"])


def dense(said: list[list[list[float]]], width: int) -> Tensor:
    """(token, probability) pairs of B contexts -> probabilities [B, width] that add up to one."""
    out = torch.zeros(len(said), width)
    for i, pairs in enumerate(said):
        tokens, shares = zip(*pairs, strict=True)
        out[i, list(map(int, tokens))] = torch.tensor(shares)
    return out / out.sum(1, keepdim=True)


def taught_rows(batch: Batch, said: dict[int, tuple[Tensor, Tensor, Tensor]]) -> Iterator[dict[str, Any]]:
    """One line for each context of the batch; `said` holds its start and end logits [T] and kind logits [3]."""
    for i, (start, end, kind) in sorted(said.items()):
        row, label = batch.reading[i], batch.reading_labels[i]
        yield {
            "ids": row.ids,
            "segments": row.segments,
            "places": sorted(row.places),
            **{name: getattr(label, name) for name in ("start", "end", "kind", "enough")},
            "starts": _likeliest(start, list(row.places)),
            "ends": _likeliest(end, list(row.places)),
            "kinds": [round(p, 4) for p in kind.softmax(-1).tolist()],
        }


def _likeliest(logits: Tensor, places: list[int]) -> list[list[float]]:
    allowed = torch.tensor([0, *places])
    best = logits[allowed].softmax(-1).topk(min(KEPT, len(allowed)))
    return [[int(allowed[i]), round(p, 4)] for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]
