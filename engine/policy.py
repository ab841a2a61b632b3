"""Settings of the hop loop that are fitted for a model and ship with it, and the linear scores they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Policy:
    """Settings of the loop, fitted on validation questions and others about documents (training/calibrate.py); they ship in `policy.json`.

    Exact words weigh `lexical_weight` where routing ranks (recall), `candidate_weight` (by default the same) where it
    only proposes the documents among which the model chooses. In the first round `inject` documents are read, later
    `later_inject`, from `hypotheses` contexts. `choice` weighs what says that a document is wanted, `later_choice` the
    same once evidence is read, `answer` ranks readings, and `sure` turns `sureness` into the log-odds that the best one
    is right.
    `rank` weighs what `engine.recall.features` names after the first round of a recall, `later_rank` (by default the same)
    after further ones; without `rank` a recall goes by routing alone.
    Of `max_hops` rounds those after `plain_hops` are only taken where a document just read is one that what the question
    names leads to.
    `keep` ranks the contexts that were read: the best go on as hypotheses.
    The loop has enough from a confidence of `stop`, if the model's own *enough* is at least `enough`; from a
    confidence of `found` an answer is given: where a wrong one, called unsure, costs two fifths of what a right one is worth.
    A question answered less surely than `apart` is taken apart, if it can be (`engine/clauses.py`).
    """

    max_hops: int = 3
    plain_hops: int = 2
    inject: int = 6
    later_inject: int = 4
    hypotheses: int = 2
    lexical_k: int = 24
    lexical_weight: float = 0.25
    candidate_weight: float | None = None
    stop: float = 0.5
    enough: float = 0.0
    found: float = 0.3
    apart: float = 0.35
    choice: Mapping[str, float] = field(default_factory=lambda: {"head": 1.0, "routing": 0.0, "lexical": 3.0, "bias": 0.0})
    later_choice: Mapping[str, float] | None = None
    rank: Mapping[str, float] | None = None
    later_rank: Mapping[str, float] | None = None
    keep: Mapping[str, float] = field(default_factory=lambda: {"choice": 1.0, "relevance": 0.0, "bias": 0.0})
    answer: Mapping[str, float] = field(
        default_factory=lambda: {"reading": 0.7, "choice": 0.3, "agree": 0.5, "hop": -0.7, "words": 0.0, "bias": 0.0}
    )
    sure: Mapping[str, float] = field(default_factory=lambda: {"score": 1.0, "share": 0.0, "bias": 0.0})


def weighed(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    """Linear score: bias + the sum of weight * feature."""
    return weights["bias"] + sum(weight * features[name] for name, weight in weights.items() if name != "bias")
