from __future__ import annotations

import pytest
import torch

from engine.errors import StoreCorruptError
from engine.store import rewrite
from engine.store.records import SegmentRow
from engine.store.tiers import RouterKeys, fetch_pooled_kv


def everything(store) -> dict[int, tuple]:
    """All states of every document, as stored."""
    loaded = RouterKeys.load(store)
    content = fetch_pooled_kv(store, loaded.document_ids.tolist())
    starts = loaded.document_starts.tolist()
    keys, scales = (torch.cat([getattr(b, part) for b in loaded.blocks], 1) for part in ("keys", "scales"))
    return {
        document: (keys[:, a:b], scales[:, a:b], *states)
        for document, a, b, states in zip(loaded.document_ids.tolist(), starts, starts[1:], content, strict=False)
    }


def assert_same(after: dict[int, tuple], before: dict[int, tuple]) -> None:
    assert after.keys() == before.keys()
    for document, tensors in after.items():
        assert all(new.equal(old) for new, old in zip(tensors, before[document], strict=True))


def test_many_small_segments_become_one_with_the_same_bits(store, make):
    with store.writer() as writer:
        for i in range(9):
            writer.commit([make.source(f"{i}.txt", 2), make.source(f"other{i}.txt", 1)])
        writer.commit([make.source("3.txt", 1)])
        before, version = everything(store), store.version()
        writer.compact()
    assert store.footprint()["segments"] == 1 and store.version() > version
    assert_same(everything(store), before)
    assert len(list((store.directory / "segments").iterdir())) == 1 and store.verify() == []


def test_few_clean_segments_are_left_alone(store, make):
    with store.writer() as writer:
        for i in range(8):
            writer.commit([make.source(f"{i}.txt", 1)])
        names = {path.name for path in (store.directory / "segments").iterdir()}
        writer.compact()
    assert {path.name for path in (store.directory / "segments").iterdir()} == names


def test_states_of_replaced_sources_are_dropped(store, make):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 2), make.source("b.txt", 2), make.source("c.txt", 1)])
        writer.commit([make.source("d.txt", 1)])
        writer.commit([make.source("b.txt", 1), make.source("d.txt", 1)])
        before = everything(store)
        writer.compact()
    footprint = store.footprint()
    assert footprint["segments"] == 2  # of the second nothing was left
    assert footprint["bytes"]["router_keys"] == footprint["chunks"] * 3 * (10 + 4)
    assert_same(everything(store), before)
    assert store.verify() == []


def test_plan_merges_neighbours_up_to_the_target():
    rows = [SegmentRow(i, f"{i}", 1, 1, tokens, 0, 0, "") for i, tokens in enumerate([200_000] * 10 + [900_000, 300_000])]
    groups = [[row.id for row in group] for group in rewrite.plan_compaction(rows, set())]
    assert groups == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    groups = [[row.id for row in group] for group in rewrite.plan_compaction(rows[:8] + rows[10:], {3, 10})]
    assert groups == [[3], [10]]


def test_a_damaged_segment_is_not_copied(store, make):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 2), make.source("b.txt", 2)])
        writer.commit([make.source("b.txt", 1)])
        path = store.directory / "segments" / "00000001.safetensors"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        with pytest.raises(StoreCorruptError, match="00000001.safetensors"):
            writer.compact()
    assert path.exists() and len(store.verify()) == 1


def test_a_reader_with_open_segments_goes_on_through_a_compaction(store, make):
    with store.writer() as writer:
        for i in range(10):
            writer.commit([make.source(f"{i}.txt", 1)])
        before = everything(store)
        old = RouterKeys.load(store)
        writer.compact()
        states = fetch_pooled_kv(store, old.document_ids.tolist())
    for document, (keys, values) in zip(old.document_ids.tolist(), states, strict=True):
        assert keys.equal(before[document][2]) and values.equal(before[document][3])


def test_a_segment_that_vanished_is_named(store, make):
    from engine.store import SegmentGoneError

    with store.writer() as writer:
        writer.commit([make.source("a.txt", 1)])
    (path,) = (store.directory / "segments").iterdir()
    path.unlink()
    with pytest.raises(SegmentGoneError, match="00000001.safetensors"):
        RouterKeys.load(store)
    with pytest.raises(SegmentGoneError):
        fetch_pooled_kv(store, [1])
    assert store.verify() == ["segments/00000001.safetensors: the file is missing."]
