"""Recall: what was routed is read beside the question, and the best of it leads the next round."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from engine.policy import Policy
from engine.model.interface import Evidence
from engine.recall import LOOK, features, ranked, recall
from engine.routing import Routed

PLAIN = {"relevance": 1.0, "place": 0.0, "routing": 0.0, "lexical": 0.0}
RANK = {**PLAIN, "held": 0.0, "later_place": 0.0, "later_routing": 0.0, "later_lexical": 0.0}


@dataclass
class Loop:
    """A loop whose rounds are given: documents in order, by the evidence held."""

    rounds: dict[tuple[int, ...], list[int]]
    judged: dict[int, float] | None
    policy: Policy = field(default_factory=lambda: Policy(rank=RANK))
    asked: list[tuple[int, ...]] = field(default_factory=list)
    read: list[int] = field(default_factory=list)

    def route(self, context, k, exclude):
        held = tuple(e.document for e in context.evidence)
        self.asked.append(held)
        return [routed(d, 1 - place / 100) for place, d in enumerate(self.rounds.get(held, [])[:k])]

    def relevance(self, question, documents):
        self.read += documents
        return None if self.judged is None else [self.judged.get(d, -9.0) for d in documents]

    def evidence(self, document):
        return Evidence(document, "", "")


def routed(document: int, routing: float, lexical: float = 0.0) -> Routed:
    return Routed(document, routing, routing, lexical)


def found(loop: Loop, k: int, hops: int) -> list[int]:
    return [r.document for r in recall(loop, "q", k, hops)]


def test_what_reads_best_leads_and_is_followed():
    loop = Loop({(): [1, 2, 3], (3,): [7, 1, 2]}, {3: 5.0, 7: 4.0, 1: 1.0, 2: 0.0})
    assert found(loop, 3, 1) == [3, 1, 2]
    assert found(loop, 3, 2) == [3, 7, 1]
    assert loop.asked == [(), (), (3,)] and loop.read == [1, 2, 3, 1, 2, 3, 7]


def test_a_model_that_only_routes_goes_by_routing():
    for loop in (Loop({(): [1, 2], (1,): [3]}, None), Loop({(): [1, 2], (1,): [3]}, {2: 9.0}, Policy(rank=None))):
        assert found(loop, 3, 1) == [1, 2] and found(loop, 3, 2) == [1, 3, 2]


def test_after_a_second_round_its_own_weights_rank():
    later = {**RANK, "relevance": -1.0}
    loop = Loop({(): [1, 2], (2,): [3]}, {1: 1.0, 2: 2.0, 3: 0.0}, Policy(rank=PLAIN, later_rank=later))
    assert found(loop, 3, 1) == [2, 1] and found(loop, 3, 2) == [3, 1, 2]


def test_beyond_what_is_read_the_order_is_routings():
    many = list(range(1, LOOK + 5))
    loop = Loop({(): many}, {LOOK: 1.0})
    assert found(loop, LOOK + 3, 1)[0] == LOOK and found(loop, LOOK + 3, 1)[LOOK:] == [LOOK + 1, LOOK + 2, LOOK + 3]
    assert len(loop.read) == 2 * LOOK


@pytest.mark.parametrize("hops", [1, 2, 5])
def test_an_empty_memory_recalls_nothing(hops):
    assert found(Loop({}, {}), 5, hops) == []


def test_rounds_end_when_nothing_is_left_to_read():
    loop = Loop({(): [1]}, {1: 1.0})
    assert found(loop, 5, 4) == [1] and loop.asked == [(), (1,)]


def test_what_speaks_for_a_document():
    rounds = [[routed(1, 0.9, 0.5), routed(2, 0.4)], [routed(3, 0.8, 1.0), routed(2, 0.3)], [routed(2, 0.7)]]
    known = features(rounds, {1: 0.1, 2: 0.2, 3: 0.3}, {1})
    assert known[1]["held"] == 1.0 and known[2]["held"] == 0.0
    assert (known[1]["routing"], known[1]["lexical"], known[1]["place"]) == (0.9, 0.5, 1.0)
    # Not found in the first round: it routes like the last that was.
    assert (known[3]["routing"], known[3]["place"]) == (0.4, 0.0) and known[3]["later_routing"] == 0.8 and known[3]["later_lexical"] == 1.0
    # Of two later rounds, that in which it stood higher.
    assert known[2]["later_routing"] == 0.7 and known[2]["later_place"] == 1.0
    assert (known[1]["later_routing"], known[1]["later_place"], known[2]["place"]) == (0.3, 0.0, 0.5)


def test_what_the_evidence_names_is_linked():
    rounds = [[routed(1, 0.9), routed(2, 0.8)], [replace(routed(2, 0.7), linked=1.0), routed(3, 0.6)]]
    known = features(rounds, {1: 0.0, 2: 0.0, 3: 0.0}, {1})
    assert [known[d]["linked"] for d in (1, 2, 3)] == [0.0, 1.0, 0.0]


def test_a_score_is_what_was_weighed():
    order = ranked([[routed(1, 0.9), routed(2, 0.4)]], {1: 0.5, 2: 2.0}, (), {**RANK, "routing": 1.0})
    assert [(r.document, round(r.score, 3)) for r in order] == [(2, 2.4), (1, 1.4)]
