"""Pairs for the backbone: compared as the engine routes, learned from, and put together with what it started from."""

import json
import sys
from pathlib import Path

import pytest
import torch

from engine.model.checkpoint import load_tensors
from training import train_pairs
from training.changed import changed
from training.flat_forward import Rows, padded
from training.packed import Packed, Packer
from training.train import load
from training.train_pairs import SETTINGS, Pairs, compared

WORDS = ("key", "number", "water", "office", "noon", "march", "place", "fern")


@pytest.fixture
def packed(start: Path, tmp_path: Path) -> Path:
    inputs = load(start)[1]
    packer = Packer(inputs, {"seed": 1, "passage_characters": [900, 1000], "packed_without": 0.0})
    for i, word in enumerate(WORDS):
        text = f"The {word} hangs there. " + "Water for the office. " * (20 * i)
        wrong = {"title": "", "text": f"No {word} is in the high water, none at all."}
        gold = {"title": word, "text": text, "spans": [[4, 4 + len(word)]]}
        packer.add({"set": "t", "question": f"what is the {word}", "kind": "span", "golds": [gold], "negatives": [wrong]})
    packer.save(tmp_path / "packed.safetensors")
    return tmp_path / "packed.safetensors"


def test_rows_are_compared_as_the_engine_routes(start: Path, packed: Path):
    model, inputs = load(start)
    pairs = Pairs(Packed([packed], {}, inputs), [1] * len(WORDS), SETTINGS | {"batch": 4})
    rows, count, known = pairs[0]
    assert count == 4 and known.sum(1).tolist() == [1, 1, 1, 1] and known.shape[1] == 8
    ids = [rows.ids[a:b][None] for a, b in zip(rows.starts[:-1], rows.starts[1:], strict=True)]
    with torch.no_grad():
        scores = compared(model, model.backbone, rows, count, padded)
        for i, question in enumerate(ids[:count]):
            seen = torch.ones_like(question, dtype=torch.bool)
            query = model.first_router_query(model.encode_query(question, seen, torch.zeros_like(question)))[0, :, 0].mean(0)
            for j, passage in enumerate(ids[count:]):
                keys = model.encode_documents(passage, torch.ones_like(passage, dtype=torch.bool))[0].router_keys[:, 0]
                assert scores[i, j] == pytest.approx(float((keys @ query).max()), abs=1e-5)


def test_rows_lie_end_to_end():
    rows = Rows.of([torch.tensor([5, 6]).numpy(), torch.tensor([7, 8, 9]).numpy()])
    assert rows.positions.tolist() == [0, 1, 0, 1, 2] and rows.starts.tolist() == [0, 2, 5] and rows.longest == 3


def test_a_run_changes_the_backbone_alone(start: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(train_pairs, "SETTINGS", SETTINGS | {"batch": 4, "lr": 0.01, "warmup": 1})
    asked = [str(start), str(tmp_path / "run"), f"{packed}*2", "--seconds", "2", "--workers", "0"]
    monkeypatch.setattr(sys, "argv", ["train_pairs", *asked])
    train_pairs.main()
    changed(start, tmp_path / "run", tmp_path / "out")
    before, after = load_tensors(start), load_tensors(tmp_path / "out")
    differ = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert differ and all(name.startswith("backbone.") for name in differ)
    assert json.loads((tmp_path / "out" / "config.json").read_text())["reader_layers"] == 2
