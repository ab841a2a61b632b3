"""A decoder checkpoint in the published layout takes the same seat: it remembers, routes, and refuses to answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Memory
from engine.errors import UnsupportedError

CHECKPOINT = Path(__file__).parents[1] / "model" / "data" / "ckpt_a"


@pytest.fixture
def memory(tmp_path, files):
    with Memory.open(tmp_path / "memory", model=CHECKPOINT, device="cpu", create=True) as made:
        made.ingest([files])
        yield made


def test_it_ingests(memory, files):
    stats = memory.stats()
    assert (stats.sources, stats.model) == (6, "ckpt_a") and stats.chunks >= stats.documents > 0
    assert memory.verify().sound
    assert memory.ingest([files]).unchanged == 6


def test_it_recalls(memory):
    found = memory.recall("Where does Mina Okafor work?", 4).documents
    assert len(found) == 4
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
    assert memory.recall("Where does Mina Okafor work?", 3, max_hops=2).documents


def test_it_cannot_answer(memory):
    with pytest.raises(UnsupportedError, match="msa recall"):
        memory.ask("Where does Mina Okafor work?")


def test_it_takes_over_another_models_memory(memory, model_folder):
    with Memory.open(memory.store_dir, model=model_folder, device="cpu") as other:
        other.rebuild()
        assert other.ask("Where does Mina Okafor work?").found
    memory.rebuild()
    assert memory.verify().sound and memory.stats().model == "ckpt_a"
    assert len(memory.recall("Mina Okafor", 2).documents) == 2
