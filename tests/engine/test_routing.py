"""Exact words as shares, and the rounds of a recall as one list."""

import pytest

from engine.routing import Routed, joined_rounds, lexical_shares


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
    assert [r.document for r in joined] == [1, 2, 7, 3, 8, 4]
    assert [r.document for r in joined_rounds([routed(5, 6, 7)])] == [5, 6, 7]
    assert joined_rounds([]) == []


@pytest.mark.parametrize("rounds", [[[]], [[], []]])
def test_nothing_routed_is_nothing_joined(rounds):
    assert joined_rounds(rounds) == []
