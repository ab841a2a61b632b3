"""Questions asked in other words."""

import random

import torch

from training.synonyms import reworded, synonyms

VOCABULARY = {word: i for i, word in enumerate(("quick", "fast", "lent", "movie", "film", "movies", "films", "bank"))}
NEAR = torch.tensor([[1.0, 0, 0], [1, 0.1, 0], [0, 0, -1.0], [0, 1, 0], [0, 1, 0.1], [0, 1, 0], [0, 1, 0], [-1, -1, 1]])
ENTRY = "# quick\n\nquick, fast, lent (adjective): done in little time.\n\nmovie, film, picture show (noun): told in pictures."


def test_words_of_an_entry_that_are_near_and_their_plurals():
    table = synonyms([ENTRY], VOCABULARY, NEAR)
    assert table == {"fast": ["quick"], "film": ["movie"], "films": ["movies"], "movie": ["film"], "movies": ["films"], "quick": ["fast"]}


def test_lower_case_words_alone_are_replaced_and_as_often_as_set():
    table = {"quick": ["fast"], "films": ["movies"]}
    sample = {"question": "Was the Quick quick, as in quick-fix films?", "kind": "span"}
    always = reworded(sample, table, {"reworded": 1.0, "reworded_words": 1.0}, random.Random(1))
    assert always == {**sample, "question": "Was the Quick fast, as in quick-fix movies?"}
    assert reworded(sample, table, {"reworded": 0.0, "reworded_words": 1.0}, random.Random(1)) is sample
