"""Recall: the documents a question needs. Route, read each document beside the question, go on from the best, rank all.

Routing compares a question with documents encoded alone; the reader sees both together, and says of each document
how likely the question needs it (`relevance`). What is found only after another document was read competes with what
the bare question found; the weights of both are fitted (training/calibrate_recall.py).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.model.interface import Context
from engine.routing import Routed, joined_rounds

if TYPE_CHECKING:
    from engine.interleave import Interleaver

LOOK = 16
"""So many of a round's documents are read; the others follow in the order of routing."""


def recall(loop: Interleaver, question: str, k: int, max_hops: int) -> list[Routed]:
    """The k best documents, best first, after at most `max_hops` rounds."""
    policy = loop.policy
    context = Context(question)
    rounds: list[list[Routed]] = []
    relevance: dict[int, float] = {}
    order: list[Routed] = []
    held: set[int] = set()
    for number in range(max_hops):
        if number:
            best = next((r.document for r in order if r.document not in held), None)
            if best is None:
                break
            held.add(best)
            context = Context(question, (*context.evidence, loop.evidence(best)))
        rounds.append(loop.route(context, max(k, LOOK), held))
        fresh = [r.document for r in rounds[-1][:LOOK] if r.document not in relevance]
        judged = loop.relevance(question, fresh) if policy.rank else None
        if judged is not None:
            relevance.update(zip(fresh, judged, strict=True))
        weights = policy.later_rank if number and policy.later_rank else policy.rank
        order = ranked(rounds, relevance, held, weights or {})
    return order[:k]


def ranked(
    rounds: Sequence[Sequence[Routed]], relevance: Mapping[int, float], held: Collection[int], weights: Mapping[str, float]
) -> list[Routed]:
    """All rounds' documents in one list, those that were read first, by weighed features; `score` is what they weigh.

    `held` are the documents that later rounds had as evidence. Where nothing was read, rounds are joined by rank.
    """
    joined = joined_rounds(rounds)
    known = features(rounds, relevance, held)
    scores = {d: sum(weight * f[name] for name, weight in weights.items()) for d, f in known.items()}
    read = [replace(r, score=scores[r.document]) for r in joined if r.document in scores]
    return sorted(read, key=lambda r: (-r.score, r.document)) + [r for r in joined if r.document not in scores]


def features(
    rounds: Sequence[Sequence[Routed]], relevance: Mapping[int, float], held: Collection[int]
) -> dict[int, dict[str, float]]:
    """What speaks for each document that was read: in the first round, and in that of the later ones where it stood best."""
    places = [{r.document: (place, r) for place, r in enumerate(routed)} for routed in rounds]
    known: dict[int, dict[str, float]] = {}
    for document, log_odds in relevance.items():
        later = [(number, *at[document]) for number, at in enumerate(places[1:], 1) if document in at]
        number, place, routed = min(later, key=lambda x: x[1], default=(min(1, len(rounds) - 1), math.inf, None))
        first_place, first = places[0].get(document, (math.inf, None))
        known[document] = {
            "relevance": log_odds,
            "held": float(document in held),
            "linked": routed.linked if routed else 0.0,
            **_speaks("", first_place, first, rounds[0]),
            **_speaks("later_", place, routed, rounds[number] if number else ()),
        }
    return known


def _speaks(prefix: str, place: float, routed: Routed | None, of_round: Sequence[Routed]) -> dict[str, float]:
    """Reciprocal rank, routing and exact words; a document that is not listed routes like the round's last."""
    worst = min((r.routing for r in of_round), default=0.0)
    return {
        f"{prefix}place": 1 / (1 + place),
        f"{prefix}routing": routed.routing if routed else worst,
        f"{prefix}lexical": routed.lexical if routed else 0.0,
    }
