"""Dropout acts on the reading side while training, and on nothing else."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import save_model  # noqa: E402

from training.dropout import add_dropout  # noqa: E402
from training.train import load  # noqa: E402

IDS = torch.tensor([[1, 5, 6, 7]])
MASK = torch.ones_like(IDS, dtype=torch.bool)


def test_only_reading_in_training_is_left_to_chance(tmp_path):
    model = load(save_model(tmp_path / "tiny", reader_layers=2))[0].eval()

    def read() -> torch.Tensor:
        return model.active(model.encode_reading(IDS, MASK), MASK, [None])

    before = read()
    add_dropout(model, 0.5)
    assert torch.equal(read(), before)
    model.train()
    assert not torch.equal(read(), read())
    assert torch.equal(model.encode_query(IDS, MASK, MASK.long()), model.encode_query(IDS, MASK, MASK.long()))
    assert torch.equal(model.encode_documents(IDS, MASK)[0].router_keys, model.encode_documents(IDS, MASK)[0].router_keys)
