"""Exact words as shares, and the rounds of a recall as one list."""

import pytest
import torch

from engine.model.config import RouterConfig
from engine.routing import Routed, Router, joined_rounds, lexical_shares
from engine.store.key_blocks import KeyBlock
from engine.store.tiers import RouterKeys
from kernels import routing_scores


class Words:
    """A full-text index that answers by query."""

    hits = {"who": [(1, 8.0), (2, 4.0), (3, 2.0)], "who porto": [(2, 10.0), (9, 5.0)], "zero": [(1, 0.0)]}

    def search_text(self, query: str, k: int) -> list[tuple[int, float]]:
        return self.hits.get(query, [])[:k]


def test_shares_are_of_the_best_hit_and_averaged_over_queries():
    assert lexical_shares(Words(), ["who"], 5) == {1: 1.0, 2: 0.5, 3: 0.25}
    assert lexical_shares(Words(), ["who", "who porto"], 5) == {1: 0.5, 2: 0.75, 3: 0.125, 9: 0.25}
    assert lexical_shares(Words(), ["zero"], 5) == lexical_shares(Words(), ["nothing"], 5) == {}


def test_excluded_documents_do_not_count_as_the_best_hit():
    assert lexical_shares(Words(), ["who"], 1, exclude={1}) == {2: 1.0}


def test_rounds_take_turns_behind_the_first_best():
    def routed(*documents: int) -> list[Routed]:
        return [Routed(d, 1.0, 1.0, 0.0) for d in documents]

    joined = joined_rounds([routed(1, 2, 3, 4), routed(7, 3, 2, 8)])
    assert [r.document for r in joined] == [1, 7, 2, 3, 4, 8]
    assert [r.document for r in joined_rounds([routed(5, 6, 7)])] == [5, 6, 7]
    assert joined_rounds([]) == []


@pytest.mark.parametrize("rounds", [[[]], [[], []]])
def test_nothing_routed_is_nothing_joined(rounds):
    assert joined_rounds(rounds) == []


def router(places: list[str]) -> Router:
    generator = torch.Generator().manual_seed(3)
    blocks = []
    for i, place in enumerate(places):
        keys = torch.randint(-127, 128, (1, 5, 8), generator=generator, dtype=torch.int8)
        scales = torch.rand(1, 5, 1, generator=generator).half()
        blocks.append(KeyBlock(place, 3 * i, 3, keys, scales, torch.tensor([0, 0, 1, 1, 2])))
    ids = torch.tensor([40, 10, 30, 20, 60, 50, 90, 70, 80])[: 3 * len(places)]
    config = RouterConfig((0,), 16, 64, "mean", "INFONCE", 1, 1, 8)
    return Router(None, RouterKeys(blocks, ids, torch.zeros(1), 0, 1), config)


def test_a_gpu_without_room_is_left_for_ram(monkeypatch, caplog):
    split = router(["GPU", "RAM", "disk"])
    query, mask = torch.ones(2, 4, 1, 8), torch.ones(2, 4, dtype=torch.bool)
    expected = split.scores(0, query, mask)
    tight, calls = router(["GPU", "RAM", "disk"]), []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("no room")
        return routing_scores(*arguments)

    monkeypatch.setattr("engine.routing.routing_scores", full)
    assert tight.scores(0, query, mask).equal(expected) and expected.shape == (2, 9)
    assert [b.place for b in tight.keys.blocks] == ["RAM", "RAM", "disk"] and "ran out of memory" in caplog.text


def test_words_find_their_document_among_blocks():
    routed = router(["RAM", "disk"]).select(torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), 2, {20: 1.0, 99: 1.0}, 1.0)
    assert [(r.document, round(r.score, 3), r.lexical) for r in routed] == [(20, 1.4, 1.0), (50, 0.6, 0.0)]
