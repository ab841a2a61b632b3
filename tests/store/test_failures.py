from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import StoreError, StoreLockedError
from engine.store import Store

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from engine.store import Store
with Store.open(sys.argv[1]).writer() as writer:
    print("held", flush=True)
    sys.stdin.read()
"""


def start(code: str, *arguments: str) -> subprocess.Popen:
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT, **pipes)


def test_a_second_writer_is_refused_and_told_who_writes(store):
    with start(HOLD, str(store.directory)) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLockedError, match=rf"pid {holder.pid} on .* since .*-c"), store.writer():
            pass
        with pytest.raises(StoreLockedError), store.writer(wait=0.2):
            pass
        holder.kill()
    with store.writer(wait=10):
        assert json.loads((store.directory / "lock.json").read_text())["pid"] == os.getpid()
    assert not (store.directory / "lock.json").exists()


READ = """
import sys
from engine.store import Store, SegmentGoneError
from engine.store.tiers import RouterKeys, fetch_pooled_kv
store, seen, rounds = Store.open(sys.argv[1]), 0, 0
while store.find("last.txt") == []:
    try:
        loaded = RouterKeys.load(store)
        ids = loaded.document_ids.tolist()
        states = fetch_pooled_kv(store, ids[-3:])
        assert [keys.shape[1] for keys, _ in states] == (loaded.document_starts[1:] - loaded.document_starts[:-1])[-3:].tolist()
        assert all(store.document_text(i) for i in ids[:5] if store.documents([i]))
        assert all(b.keys.any(-1).all() for b in loaded.blocks)
    except SegmentGoneError:
        pass
    store.search_text("amber fjord", 5)
    rounds += 1
    if rounds == 1:
        print("ready", flush=True)
print("rounds", rounds, flush=True)
"""


def test_two_readers_while_a_writer_writes(store, make):
    with store.writer() as writer:
        writer.commit([make.source("first.txt", 2)])
    readers = [start(READ, str(store.directory)) for _ in range(2)]
    assert [reader.stdout.readline() for reader in readers] == ["ready\n"] * 2
    with store.writer() as writer:
        for i in range(12):
            writer.commit([make.source(f"{i}.txt", 2)])
            if i % 5 == 4:
                writer.forget([store.find(f"{i - 1}.txt")[0].id])
                writer.compact()
            time.sleep(0.02)
        writer.commit([make.source("last.txt", 1)])
    for reader in readers:
        output, _ = reader.communicate(timeout=30)
        assert reader.returncode == 0 and int(output.split()[1]) >= 1
    assert store.verify() == []


@pytest.mark.parametrize("action", ["commit", "forget", "compact"])
def test_a_full_disk_loses_nothing(store, make, monkeypatch, action):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 2), make.source("b.txt", 2), make.source("c.txt", 1)])
        writer.commit([make.source("c.txt", 1)])
    before = [store.sources(), store.all_document_ids()]
    real, calls = os.write, []

    def full(descriptor, data):
        calls.append(1)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[: len(data) // 2 + 1])

    with store.writer() as writer:
        new = make.source("new.txt", 2)
        monkeypatch.setattr("engine.store.segment.os.write", full)
        with pytest.raises(StoreError, match="no space left"):
            {"commit": lambda: writer.commit([new]), "forget": lambda: writer.forget([1]), "compact": writer.compact}[action]()
        monkeypatch.undo()
        names = sorted(path.name for path in (store.directory / "segments").iterdir())
        assert names == ["00000001.safetensors", "00000002.safetensors"]
        assert [store.sources(), store.all_document_ids()] == before and store.verify() == []
        writer.commit([new])
    assert store.verify() == []


@pytest.mark.parametrize("action", ["commit", "forget"])
def test_a_full_disk_in_the_catalog_loses_nothing(store, make, action):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 2), make.source("b.txt", 2)])
        before = [store.sources(), store.all_document_ids()]
        pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
        if action == "commit":
            writer._db.execute(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(StoreError, match="no space left"):
                writer.commit([make.source("new.txt", 2, text=make.words(20_000))])
        else:
            writer._db.set_authorizer(
                lambda code, table, *_: sqlite3.SQLITE_DENY if (code, table) == (sqlite3.SQLITE_DELETE, "sources") else 0
            )
            with pytest.raises(StoreError, match="catalog"):
                writer.forget([1])
            writer._db.set_authorizer(None)
        assert [path.name for path in (store.directory / "segments").iterdir()] == ["00000001.safetensors"]
        assert [store.sources(), store.all_document_ids()] == before and store.verify() == []


def test_leftovers_of_a_killed_writer_are_removed_and_nothing_else(store, make):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 1)])
    segments = store.directory / "segments"
    for name in ("00000002.safetensors", "00000003.safetensors.tmp", "notes.txt"):
        (segments / name).write_bytes(b"x")
    assert store.verify() == []
    with store.writer():
        pass
    assert sorted(path.name for path in segments.iterdir()) == ["00000001.safetensors", "notes.txt"]


def test_permissions_are_told_in_one_sentence(store, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(store.directory / "lock"))

    monkeypatch.setattr("filelock.FileLock.acquire", denied)
    with pytest.raises(StoreError, match="permission denied"), store.writer():
        pass
    monkeypatch.setattr("engine.store.catalog.sqlite3.connect", denied)
    with pytest.raises(StoreError, match="permission denied"):
        Store.open(store.directory)


def damage_segment(store) -> str:
    path = next((store.directory / "segments").iterdir())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)
    return "checksum"


def truncate_segment(store) -> str:
    path = next((store.directory / "segments").iterdir())
    os.truncate(path, path.stat().st_size - 3)
    return "bytes long"


def damage_header(store) -> str:
    path = next((store.directory / "segments").iterdir())
    path.write_bytes(b"\xff" * path.stat().st_size)
    return "header"


def edit(sql: str, told: str):
    def damage(store) -> str:
        connection = sqlite3.connect(store.directory / "catalog.sqlite")
        with connection:
            connection.execute(sql)
        connection.close()
        return told

    damage.__name__ = told
    return damage


@pytest.mark.parametrize(
    "damage",
    [
        damage_segment,
        truncate_segment,
        damage_header,
        edit("UPDATE documents SET chunk_offset = chunk_offset + 1 WHERE id = 1", "overlap"),
        edit("UPDATE documents SET n_chunks = 900 WHERE id = 3", "overlap"),
        edit("UPDATE documents SET kv_offset = 0 WHERE id = 2", "overlap"),
        edit('UPDATE documents SET "end" = 999999 WHERE id = 2', "outside of the source"),
        edit("DELETE FROM documents WHERE id = 2", "documents"),
        edit("DELETE FROM text_blocks WHERE source_id = 1", "characters of text"),
        edit("UPDATE text_blocks SET blob = x'789c0102' WHERE source_id = 1", "damaged"),
        edit("UPDATE sources SET complete = 0 WHERE id = 1", "marked incomplete"),
        edit("DELETE FROM documents_fts_data WHERE id > 10", "text index"),
        edit("DELETE FROM documents_fts_docsize WHERE id = 1", "not in the text index"),
        edit("DELETE FROM segments", "refers to a row"),
    ],
)
def test_verify_finds(store, make, damage):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 3, tokens=100), make.source("b.txt", 1)])
    assert store.verify() == []
    store.close()
    told = damage(store)
    with Store.open(store.directory) as opened:
        problems = opened.verify()
    assert any(told in problem for problem in problems), problems


def test_verify_lists_a_damaged_catalog_page(store, make):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 3, text=make.words(40_000))])
    store.close()
    path = store.directory / "catalog.sqlite"
    content = bytearray(path.read_bytes())
    for page in range(6, len(content) // 4096, 3):
        content[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    path.write_bytes(content)
    with Store.open(store.directory) as opened:
        assert opened.verify()


def test_kills_at_random_moments_lose_nothing(tmp_path):
    script = Path(__file__).with_name("kill_loop.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, str(script), "--rounds", "8", str(tmp_path / "memory")], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "8 rounds" in run.stdout
