"""Samples -> the token rows and labels of one training step."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from engine.grounding import quote_span
from engine.model.inputs import ActiveRow, EncoderInputs

IGNORED = -100
LEAST_REST = 120
LINE_SETS = frozenset(("code", "listed", "fields", "tables"))


@dataclass
class ActiveLabel:
    """Targets of one active context. `wanted` are indices into Batch.documents that are still missing, `read` of
    those it holds as evidence (never routed to again), `forbidden` of near misses."""

    wanted: list[int]
    forbidden: list[int]
    enough: float
    read: list[int] = field(default_factory=list)
    start: int = IGNORED
    end: int = IGNORED
    kind: int = IGNORED


@dataclass
class Batch:
    """`documents` are encoded alone; `asked` are the bare questions, `reading` contexts with evidence."""

    documents: list[tuple[str, str]] = field(default_factory=list)
    asked: list[ActiveRow] = field(default_factory=list)
    asked_labels: list[ActiveLabel] = field(default_factory=list)
    reading: list[ActiveRow] = field(default_factory=list)
    reading_labels: list[ActiveLabel] = field(default_factory=list)


class Collator:
    """Draws evidence for each sample at random: all of it, a part (the next hop is wanted) or a wrong document."""

    def __init__(self, inputs: EncoderInputs, settings: dict[str, Any]):
        self.inputs = inputs
        self.settings = settings
        self.all_negatives = settings.get("all_negatives", False)

    def __call__(self, samples: list[dict[str, Any]], rng: random.Random) -> Batch:
        batch = Batch()
        index: dict[str, int] = {}
        for sample in samples:
            golds = [window(g, self.settings, rng) for g in sample["golds"]]
            gold_ids = [_add(batch, index, g) for g in golds]
            negatives = [window({**n, "spans": []}, self.settings, rng) for n in sample["negatives"]]
            wrong = rng.choice(negatives) if negatives else None
            use_wrong = wrong is not None and (not golds or rng.random() < self.settings["hard_negatives"])
            wrong_ids = [_add(batch, index, wrong)] if use_wrong and wrong is not None else []
            if self.all_negatives:
                wrong_ids = [_add(batch, index, n) for n in negatives]
            batch.asked.append(self.inputs.active(sample["question"], []))
            batch.asked_labels.append(ActiveLabel(gold_ids, wrong_ids, 0.0))
            self._reading(batch, index, sample, golds, gold_ids, negatives, wrong, wrong_ids, rng)
        return batch

    def _reading(self, batch, index, sample, golds, gold_ids, negatives, wrong, wrong_ids, rng) -> None:
        kind = sample["kind"]
        if kind == "none":
            return
        draw = rng.random()
        if wrong is not None and (kind == "null" or draw < self.settings["read_wrong"]):
            evidence, wanted, enough = [wrong], gold_ids, 0.0
        elif kind == "span" and len(golds) == 1 and rng.random() < self.settings.get("read_without", 0.0):
            without = _without_answer(golds[0], sample["set"] in LINE_SETS)
            evidence, wanted, enough = ([golds[0]], [], 1.0) if without is None else ([without], gold_ids, 0.0)
        elif len(golds) > 1 and draw < self.settings["read_wrong"] + self.settings["read_part"]:
            kept = rng.randrange(len(golds))
            evidence, wanted, enough = [golds[kept]], [i for n, i in enumerate(gold_ids) if n != kept], 0.0
        else:
            order = rng.sample(range(len(golds)), len(golds))
            evidence, wanted, enough = [golds[i] for i in order], [], 1.0
        # Two passages must not mean that one of them tells, nor that it is the second.
        others = [n for n in negatives if n is not evidence[0]]
        if len(evidence) == 1 and others and rng.random() < self.settings["read_beside_wrong"]:
            evidence = rng.sample([*evidence, rng.choice(others)], 2)
        row = self.inputs.active(sample["question"], [(e["title"], e["text"]) for e in evidence])
        read = [_add(batch, index, e) for e in evidence]
        label = ActiveLabel(wanted, [i for i in wrong_ids if i not in read], enough, read, start=0, end=0)
        # A comparison read from one side alone would be a guess.
        told = enough or not sample.get("needs_all")
        span = answer_tokens(row, evidence) if kind == "span" and told else None
        if kind in ("yes", "no") and enough:
            label.kind, label.start, label.end = ("yes", "no").index(kind) + 1, IGNORED, IGNORED
        elif span is not None:
            label.kind, label.start, label.end = 0, *span
        elif enough:
            label.start = label.end = IGNORED
        batch.reading.append(row)
        batch.reading_labels.append(label)


def window(passage: dict[str, Any], settings: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A long passage is cut, at a blank, so that the answer stays inside the document length.

    A passage marked `whole` stays so. The length is drawn anew: a short passage must not mean that it holds the answer, nor that it does not.
    """
    limit = rng.randint(*settings["passage_characters"])
    text, spans = passage["text"], passage["spans"]
    if len(text) <= limit or passage.get("whole"):
        return passage
    first = spans[0][0] if spans else 0
    begin = max(0, min(first - rng.randrange(limit // 2), len(text) - limit))
    begin = text.find(" ", begin) + 1 if begin else 0
    kept = [[a - begin, b - begin] for a, b in spans if a >= begin and b <= begin + limit]
    return {"title": passage["title"], "text": text[begin : begin + limit], "spans": kept}


def _without_answer(passage: dict[str, Any], by_line: bool) -> dict[str, Any] | None:
    """The passage without the sentence that answers; None where the rest is little or still says it."""
    text = passage["text"]
    if not passage["spans"]:
        return None
    first, last = quote_span(text, *passage["spans"][0], by_line=by_line)
    rest = text[:first] + text[last:]
    if len(rest) < LEAST_REST or text[slice(*passage["spans"][0])].lower() in rest.lower():
        return None
    return {"title": passage["title"], "text": rest, "spans": []}


def _add(batch: Batch, index: dict[str, int], passage: dict[str, Any]) -> int:
    if passage["text"] not in index:
        index[passage["text"]] = len(batch.documents)
        batch.documents.append((passage["title"], passage["text"]))
    return index[passage["text"]]


def answer_tokens(row: ActiveRow, evidence: list[dict[str, Any]]) -> tuple[int, int] | None:
    """First and last token of the first marked span that is whole inside the row."""
    for number, piece in enumerate(evidence):
        for begin, stop in piece.get("spans", ()):
            inside = [p for p, (n, a, b) in row.places.items() if n == number and b > begin and a < stop]
            if inside and row.places[inside[-1]][2] >= stop:
                return inside[0], inside[-1]
    return None
