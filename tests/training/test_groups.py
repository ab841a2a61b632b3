"""Contexts of one question that compete: which one is wanted, where its answer stands, and when nothing is."""

import json
import math
import random
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import save_model  # noqa: E402

from training import losses  # noqa: E402
from training.batches import IGNORED  # noqa: E402
from training.groups import Grouping  # noqa: E402
from training.train import load  # noqa: E402

CONFIG = Path(__file__).parents[2] / "training" / "configs" / "mined.json"
GOLD = {"title": "", "text": "The key hangs at number 14.", "spans": [[24, 26]]}
FIRST = {"title": "", "text": "Mina has the key.", "spans": []}
WRONG = [{"title": "", "text": "The fern needs shade."}, {"title": "", "text": "High water is at noon."}]
ASKED = {"set": "t", "question": "what number", "kind": "span", "golds": [GOLD], "negatives": WRONG, "after": []}
TWO = {**ASKED, "golds": [FIRST, GOLD], "after": [WRONG, WRONG]}


@pytest.fixture(scope="module")
def grouping(tmp_path_factory) -> Grouping:
    return Grouping(load(save_model(tmp_path_factory.mktemp("groups") / "tiny"))[1], json.loads(CONFIG.read_text()))


def drawn(grouping: Grouping, sample: dict) -> list:
    return [group for seed in range(200) for group in grouping([sample], random.Random(seed))]


def answer(grouping: Grouping, group) -> str:
    row = group.rows[group.wanted]
    return GOLD["text"][row.places[group.start][1] : row.places[group.end][2]]


def test_one_passage_is_wanted_and_answers_or_nothing_does(grouping):
    groups = drawn(grouping, ASKED)
    assert {g.wanted for g in groups} == {0, -1}
    for group in groups:
        if group.wanted < 0:
            assert (group.start, group.end, group.enough, len(group.rows)) == (0, 0, False, 2)
        else:
            assert answer(grouping, group) == "14" and group.enough and len(group.rows) == 3


def test_of_two_passages_either_may_be_wanted_first(grouping):
    groups = [g for g in drawn(grouping, TWO) if g.wanted == 0]
    told = [g for g in groups if g.start > 0]
    assert {answer(grouping, g) for g in told} == {"14"}
    # The bare question may want Mina's passage, which does not answer; after it, the other one does, and is enough.
    assert any(g.start == 0 and not g.enough for g in groups)
    assert any(g.enough for g in told) and any(not g.enough for g in told)
    # Having read the answer, the answer is no longer asked of the candidates.
    assert any(g.start == IGNORED and g.enough for g in groups)


def test_yes_needs_all_passages(grouping):
    for group in drawn(grouping, {**TWO, "golds": [FIRST, {**GOLD, "spans": []}], "kind": "yes"}):
        assert group.kind == (1 if group.enough else IGNORED)
        assert group.start in (IGNORED, 0)


def test_nothing_mined_is_no_group(grouping):
    assert drawn(grouping, {**ASKED, "negatives": []}) == []


def test_contexts_compete_for_one_answer_and_one_nowhere():
    logits = [torch.tensor([1.0, 3.0, 0.0]), torch.tensor([2.0, 2.5])]
    allowed = [torch.tensor([False, True, True]), torch.tensor([False, True])]
    odds = [2.0, -1.0, 0.5, 0.0]
    total = math.log(sum(math.exp(x) for x in odds))
    assert float(losses.pointed_among(logits, allowed, 0, 1)) == pytest.approx(total - 2.0)
    assert float(losses.pointed_among(logits, allowed, 1, 1)) == pytest.approx(total - 0.5)
    assert float(losses.pointed_among(logits, allowed, -1, 0)) == pytest.approx(total)


def test_none_of_a_group_is_a_choice():
    logits = torch.tensor([1.0, -2.0])
    total = math.log(math.exp(1.0) + math.exp(-2.0) + 1)
    assert float(losses.wanted_among(logits, 0)) == pytest.approx(total - 1)
    assert float(losses.wanted_among(logits, -1)) == pytest.approx(total)
