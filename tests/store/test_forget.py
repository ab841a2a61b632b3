from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path

import pytest

from engine.errors import StoreError
from engine.store import SegmentGoneError, Store, catalog
from engine.store.quantise import pack, raw
from engine.store.tiers import RouterKeys, fetch_pooled_kv

MARKER = "xqzvwkjyhhplm"


def traces(directory: Path, needles: list[bytes]) -> list[str]:
    """Files that hold one of the byte strings, or compressed text with the marker in it."""
    found = []
    for path in directory.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found += [path.name for needle in needles if needle in content]
        start = content.find(b"\x78\x9c")
        while start >= 0:
            try:
                found += [path.name] if MARKER.encode() in zlib.decompressobj().decompress(content[start:]) else []
            except zlib.error:
                pass
            start = content.find(b"\x78\x9c", start + 1)
    return found


def needles_of(source, documents, shape) -> list[bytes]:
    needles = [MARKER[2:].encode(), zlib.compress(source.text.encode(), 6)[:60]]
    for document in documents:
        keys, _, record = pack(document.states, shape)
        needles += [record[:40], bytes(raw(keys[0]))[:10]]
    return needles


def secret_source(make, name: str, length: int, **fields):
    return make.source(name, 2, text=f"{make.words(length)} {MARKER} {make.words(length)}", **fields)


@pytest.mark.parametrize("length", [3, 30, 30_000])
def test_nothing_is_left_of_what_was_forgotten(store, make, length):
    secret = secret_source(make, "secret.txt", length)
    needles = needles_of(*secret, store.shape)
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 3), secret, make.source("b.txt", 2)])
        writer.commit([make.source("c.txt", 3)])
    assert set(traces(store.directory, needles)) >= {"catalog.sqlite-wal", "00000001.safetensors"}
    kept = [row for row in store.sources() if row.name != "secret.txt"]
    texts = {row.id: store.text(row.id) for row in kept}
    ids = [document.id for row in kept for document in store.source_documents(row.id)]
    states = fetch_pooled_kv(store, ids)
    secret_id = store.find("secret.txt")[0].id
    with store.writer() as writer:
        gone = writer.forget([secret_id, 999])
        assert traces(store.directory, needles) == []
    assert (gone.sources, gone.documents) == (["secret.txt"], 2)
    assert gone.tokens == sum(document.states.n_tokens for document in secret[1])
    assert traces(store.directory, needles) == [] and store.verify() == []
    assert {row.id: store.text(row.id) for row in store.sources()} == texts
    assert store.search_text(MARKER, 3) == []
    for (keys, values), (old_keys, old_values) in zip(fetch_pooled_kv(store, ids), states, strict=True):
        assert keys.equal(old_keys) and values.equal(old_values)


def test_copies_in_the_unused_part_of_pages_go(store, make):
    """SQLite leaves copies of rows it moved between pages there, now and then, even with secure_delete."""
    with store.writer() as writer:
        writer.commit([make.source(f"{i}.txt", 1) for i in range(40)])
    store.close()
    path = store.directory / "catalog.sqlite"
    content, planted = bytearray(path.read_bytes()), 0
    for page in range(4096, len(content), 4096):
        cells, end = (int.from_bytes(content[page + at : page + at + 2], "big") for at in (3, 5))
        free = page + 8 + 2 * cells
        if content[page] == 0x0D and page + end - free > 20:  # a leaf of a table
            content[free : free + len(MARKER)] = MARKER.encode()
            planted += 1
    path.write_bytes(content)
    with Store.open(store.directory) as opened, opened.writer() as writer:
        assert planted and opened.verify() == [] and traces(store.directory, [MARKER.encode()])
        writer.forget([1])
        assert traces(store.directory, [MARKER.encode()]) == [] and opened.verify() == []


def test_versions_replaced_earlier_go_too(store, make):
    secret = secret_source(make, "a.txt", 10)
    needles = needles_of(*secret, store.shape)
    with store.writer() as writer:
        writer.commit([secret, make.source("b.txt", 1)])
        writer.commit([make.source("a.txt", 1)])
        assert traces(store.directory, needles)
        writer.forget([store.find("a.txt")[0].id])
    assert traces(store.directory, needles) == [] and store.verify() == []


def test_forgetting_everything_leaves_an_empty_memory(store, make):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 2)])
        writer.forget([row.id for row in store.sources()])
        assert writer.forget([1]).documents == 0
        (ids,) = [store.all_document_ids()]
        assert ids == [] and list((store.directory / "segments").iterdir()) == []
        writer.commit([make.source("a.txt", 2)])
    assert min(store.all_document_ids()) == 3 and store.verify() == []


def test_a_kill_before_the_traces_are_cleared_is_made_good(store, make, monkeypatch):
    secret = secret_source(make, "secret.txt", 9)
    needles = needles_of(*secret, store.shape)
    with store.writer() as writer:
        writer.commit([secret, make.source("b.txt", 1)])
        monkeypatch.setattr(writer, "_scrub", lambda: None)
        monkeypatch.setattr(writer, "_unlink", lambda rows: None)
        writer.forget([store.find("secret.txt")[0].id])
    assert store.find("secret.txt") == [] and traces(store.directory, needles) and store.verify() == []
    with store.writer():
        pass
    assert traces(store.directory, needles) == [] and store.verify() == []


def test_a_reader_that_does_not_let_go_is_reported(store, make, monkeypatch):
    monkeypatch.setattr(catalog, "BUSY_MS", 50)
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 1)])
    reader = sqlite3.connect(store.directory / "catalog.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM sources").fetchall()
    with store.writer() as writer, pytest.raises(StoreError, match="keeps reading"):
        writer.forget([1])
    assert store.sources() == []
    reader.close()
    with store.writer():
        assert store.verify() == []


def test_what_a_reader_holds_of_the_forgotten_is_refused(store, make):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 1), make.source("b.txt", 1)])
        loaded = RouterKeys.load(store)
        first, second = loaded.document_ids.tolist()
        writer.forget([store.find("a.txt")[0].id])
    assert store.version() != loaded.version
    with pytest.raises(SegmentGoneError):
        fetch_pooled_kv(store, [first, second])
    assert len(fetch_pooled_kv(store, [second])) == 1
    assert RouterKeys.load(store).document_ids.tolist() == [second]
