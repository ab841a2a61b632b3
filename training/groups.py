"""Training samples with mined negatives -> groups: contexts that differ in their last passage alone, of which one is wanted.

A reader that has only seen passages one at a time cannot say which of sixteen to believe. In a group all of a
question's contexts compete with each other, and with "nowhere" (shared normalisation, Clark and Gardner 2018).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from engine.model.inputs import ActiveRow, EncoderInputs
from training.batches import IGNORED, answer_tokens, window


@dataclass
class Group:
    """Contexts of one question. `wanted` is the index of the one with the wanted passage, -1 where none has it.

    `start`, `end` are the answer's tokens in that context (0 where the question has no answer here, IGNORED where it is
    not known); `kind` is its index in ANSWER_KINDS; `enough` tells whether that context holds all that is needed.
    """

    rows: list[ActiveRow]
    wanted: int
    start: int = IGNORED
    end: int = IGNORED
    kind: int = IGNORED
    enough: bool = False


class Grouping:
    """Draws groups at random: a bare question, or one that has read a gold passage and wants another."""

    def __init__(self, inputs: EncoderInputs, settings: dict[str, Any]):
        self.inputs, self.settings = inputs, settings

    def __call__(self, samples: list[dict[str, Any]], rng: random.Random) -> list[Group]:
        groups = (self._group(sample, rng) for sample in samples)
        return [group for group in groups if group is not None]

    def _group(self, sample: dict[str, Any], rng: random.Random) -> Group | None:
        golds = [window(g, self.settings, rng) for g in sample["golds"]]
        negatives, read = sample["negatives"], []
        if len(golds) > 1 and sample["after"] and rng.random() < self.settings["group_after"]:
            first = rng.randrange(len(golds))
            negatives, read = sample["after"][first], [golds.pop(first)]
        if not negatives:
            return None
        wrong = rng.sample(negatives, min(len(negatives), self.settings["group_size"] - 1))
        wrong = [window({**n, "spans": []}, self.settings, rng) for n in wrong]
        gold = rng.choice(golds) if rng.random() >= self.settings["group_without"] else None
        rows = [
            self.inputs.active(sample["question"], [(p["title"], p["text"]) for p in (*read, last)])
            for last in ([gold] if gold else []) + wrong
        ]
        return self._labelled(Group(rows, 0 if gold else -1), sample, read, gold, len(golds))

    def _labelled(self, group: Group, sample: dict[str, Any], read: list, gold: dict[str, Any] | None, missing: int) -> Group:
        kind = sample["kind"]
        group.enough = gold is not None and missing == 1
        known = kind == "span" and not any(p["spans"] for p in read)
        if gold is None:
            # Without the passage nothing answers; unless what was read before already does.
            group.start = group.end = 0 if known or kind in ("yes", "no") else IGNORED
            return group
        if kind in ("yes", "no"):
            if group.enough:
                group.kind = ("yes", "no").index(kind) + 1
            return group
        if known:
            spans = answer_tokens(group.rows[0], [{"spans": []} for _ in read] + [gold])
            if spans is not None:
                group.start, group.end = spans
                group.kind = 0
            elif not gold["spans"]:
                group.start = group.end = 0
        return group
