from __future__ import annotations

import shutil

import pytest

from engine.footprint import SIZES
from engine.store.budget import Budget
from engine.store.segment import Sizes


def test_tiers_add_up(memory):
    stats = memory.stats()
    tiers = {name: size for name, size in stats.bytes.items() if name != "total"}
    assert stats.bytes["total"] == sum(tiers.values()) and min(tiers.values()) > 0
    assert stats.bytes_per_token == pytest.approx(stats.bytes["total"] / stats.tokens)
    assert (stats.sources, sum(stats.kinds.values())) == (6, 6)
    assert stats.places.keys() == tiers.keys()
    sizes = Sizes.of(memory._open().shape)
    assert tiers["router_keys"] == sizes.router(stats.chunks) == stats.resident["router_keys"]
    assert tiers["content_kv"] == stats.chunks * sizes.content
    files = sum(p.stat().st_size for p in memory.store_dir.rglob("*") if p.is_file() and not p.name.endswith("-shm"))
    assert stats.bytes["total"] <= files < stats.bytes["total"] + 4096 * (stats.segments + 1)
    assert (stats.model, stats.device, stats.store) == ("tiny", "cpu", str(memory.store_dir))


def test_projections_grow_with_the_tokens(memory, monkeypatch):
    usage = shutil.disk_usage(memory.store_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1 << 60))
    stats = memory.stats()
    assert [p["tokens"] for p in stats.projections] == list(SIZES)
    for projection in stats.projections:
        tiers = {name: projection[name] for name in stats.bytes if name != "total"}
        assert projection["total"] == sum(tiers.values())
        for name, size in tiers.items():
            assert size == pytest.approx(stats.bytes[name] * projection["tokens"] / stats.tokens, abs=1)
        assert projection["fits"].endswith("fits on disk")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1))
    assert memory.stats().projections[0]["fits"].endswith("needs more disk")


def test_an_empty_memory_has_no_projections(memory):
    for source in memory.sources():
        memory.forget(source.id)
    stats = memory.stats()
    assert (stats.tokens, stats.documents, stats.projections, stats.bytes_per_token) == (0, 0, [], 0.0)


def test_where_router_keys_live_follows_the_device(memory):
    assert memory.stats().places["router_keys"] == "RAM"
    memory._device = "cuda"
    assert memory.stats().places["router_keys"] == "GPU"


def test_router_keys_beyond_the_budget_are_on_disk(memory):
    whole = memory.stats().bytes["router_keys"]
    memory._budget = Budget(ram=whole - 10)
    stats = memory.stats()
    assert stats.places["router_keys"] == "RAM + disk" and stats.resident["router_keys"] == whole - 10
    memory._device, memory._budget = "cuda", Budget(gpu=7, ram=0)
    assert memory.stats().places["router_keys"] == "GPU + disk" and memory.stats().resident["router_keys"] == 7
