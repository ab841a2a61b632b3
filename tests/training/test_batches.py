"""What a reader is shown: two passages mean neither that one of them tells nor which."""

import json
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import save_model  # noqa: E402

from training.batches import Collator  # noqa: E402
from training.train import load  # noqa: E402

CONFIG = Path(__file__).parents[2] / "training" / "configs" / "reader_fourth.json"
GOLD = {"title": "", "text": "The key hangs at number 14.", "spans": [[24, 26]]}
WRONG = [{"title": "", "text": "The fern needs shade."}, {"title": "", "text": "High water is at noon."}]
ASKED = {"set": "t", "question": "what number", "kind": "span", "golds": [GOLD], "negatives": WRONG}


@pytest.fixture(scope="module")
def collate(tmp_path_factory) -> Collator:
    return Collator(load(save_model(tmp_path_factory.mktemp("batches") / "tiny"))[1], json.loads(CONFIG.read_text()))


def seen(collate: Collator, sample: dict) -> set[tuple[tuple[str, ...], bool]]:
    """What the reader may be shown, as (pieces in order, whether an answer is marked)."""
    shown = set()
    for seed in range(300):
        batch = collate([sample], random.Random(seed))
        [label] = batch.reading_labels
        texts = [batch.documents[i][1] for i in label.read]
        shown.add((tuple("gold" if t == GOLD["text"] else "wrong" for t in texts), label.start > 0))
    return shown


def test_gold_and_wrong_in_either_order(collate):
    alone = {(("gold",), True), (("wrong",), False), (("wrong", "wrong"), False)}
    assert seen(collate, ASKED) == alone | {(("gold", "wrong"), True), (("wrong", "gold"), True)}


def test_what_is_not_answerable_never_has_an_answer(collate):
    null = {**ASKED, "kind": "null", "golds": []}
    assert seen(collate, null) == {(("wrong",), False), (("wrong", "wrong"), False)}


def test_part_of_the_evidence_beside_a_wrong_passage(collate):
    first = {"title": "", "text": "Mina has the key.", "spans": []}
    shown = seen(collate, {**ASKED, "golds": [first, GOLD], "needs_all": True})
    assert (("gold", "wrong"), False) in shown and (("wrong", "gold"), True) in shown
