"""What ranks the documents of a recall is fitted on all that was read, in the very terms the recall ranks by."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import save_model  # noqa: E402

from benchmarks.sets import Question, passages_in_memory  # noqa: E402
from engine.recall import features  # noqa: E402
from training.calibrate import fit_ranking  # noqa: E402
from training.calibrate_recall import FIRST_GUESS, LATER_NAMES, ranked_rows  # noqa: E402

TEXTS = {"key": "The key hangs at number 14.", "mina": "Mina has the key.", "fern": "The fern needs shade."}


def test_all_that_is_read_is_told_with_what_is_gold(tmp_path: Path):
    passages = {i: {"id": i, "title": i, "text": text} for i, text in TEXTS.items()}
    question = Question("t", "1", "what number has the key", ["14"], ["key"], "extractive")
    with passages_in_memory(passages, save_model(tmp_path / "model")) as memory:
        [(rows, gold)] = ranked_rows(memory, [question], FIRST_GUESS)
    assert sorted(gold) == [False, False, True]
    assert all(set(row) == set(LATER_NAMES) for row in rows) and sum(row["held"] for row in rows) == 1.0


def test_the_names_are_those_of_the_features():
    assert set(features([[]], {1: 0.0}, ())[1]) == set(LATER_NAMES)


def test_what_sets_gold_apart_gets_the_weight():
    rows = [([{"a": 1.0, "b": float(n % 2)}, {"a": 0.0, "b": float((n + 1) % 2)}], [True, False]) for n in range(40)]
    weights = fit_ranking(rows, ("a", "b"))
    assert weights["a"] > 1.0 and weights["b"] == pytest.approx(0.0, abs=0.05)


def test_each_gold_thing_is_wanted_not_one_on_top():
    """The first gold one is easily told by `a`; `b` finds the second, in seven of ten questions."""
    easy, yes, no = {"a": 4.0, "b": 0.0}, {"a": 0.0, "b": 1.0}, {"a": 0.0, "b": 0.0}
    rows = [([easy, yes, no] if n < 7 else [easy, no, yes], [True, True, False]) for n in range(10)]
    one, each = fit_ranking(rows, ("a", "b")), fit_ranking(rows, ("a", "b"), each=True)
    assert each["b"] > 0.5 and one["b"] < 0
