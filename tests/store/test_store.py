from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from engine.errors import ModelMismatchError, NoMemoryError, StoreCorruptError, StoreError
from engine.store import Store, page_of
from engine.store.budget import Budget
from engine.store.key_blocks import load_blocks
from engine.store.quantise import dequantise, quantise
from engine.store.tiers import RouterKeys, _layout, fetch_pooled_kv


def test_what_is_committed_comes_back(store, make):
    before = store.version()
    batch = [make.source("a.txt", 3), make.source("b/c.md", 2, kind="markdown"), make.source("empty.txt", 0, text="")]
    with store.writer() as writer:
        ids = writer.commit(batch)
    assert store.version() > before and store.verify() == []
    assert [row.display for row in store.sources()] == ["a.txt", "b/c.md", "empty.txt"]
    for (source, documents), source_id in zip(batch, ids, strict=True):
        row = store.source(source_id)
        assert store.text(source_id) == source.text and row.n_chars == len(source.text) and row.complete
        assert row.n_tokens == sum(document.states.n_tokens for document in documents)
        stored = store.source_documents(source_id)
        assert [(d.start, d.end, d.title) for d in stored] == [(d.start, d.end, d.title) for d in documents]
        fetched = fetch_pooled_kv(store, [row.id for row in stored])
        for (keys, values), document, found in zip(fetched, documents, stored, strict=True):
            assert torch.equal(keys, dequantise(*quantise(document.states.keys)))
            assert torch.equal(values, dequantise(*quantise(document.states.values)))
            assert store.document_text(found.id) == source.text[document.start : document.end]


def test_router_keys_of_several_segments_are_laid_side_by_side(store, make, joined):
    first, second = make.source("a.txt", 3), make.source("b.txt", 2)
    with store.writer() as writer:
        writer.commit([first])
        writer.commit([second])
    loaded = RouterKeys.load(store)
    wanted = torch.cat([d.states.router_keys for _, documents in (first, second) for d in documents], dim=1)
    levels, scales = quantise(wanted)
    keys, steps, owners = joined(loaded)
    assert torch.equal(keys, levels.flatten(2)) and torch.equal(steps, scales)
    assert loaded.tokens == sum(d.states.n_tokens for _, documents in (first, second) for d in documents)
    assert loaded.document_ids.tolist() == store.all_document_ids()
    for position, document_id in enumerate(loaded.document_ids.tolist()):
        here = slice(*loaded.document_starts[position : position + 2].tolist())
        assert (owners[here] == document_id).all()
        assert here.stop - here.start == store.documents([document_id])[0].n_chunks


def test_an_empty_memory_has_no_router_keys(store):
    loaded = RouterKeys.load(store)
    assert loaded.blocks[0].keys.shape == (3, 0, 10) and loaded.document_starts.tolist() == [0]
    assert store.verify() == [] and store.search_text("anything", 3) == [] and store.footprint()["tokens"] == 0


def test_segments_are_plain_safetensors(store, make):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 2, tokens=100)])
    (path,) = (store.directory / "segments").iterdir()
    with safe_open(path, "pt") as file:
        assert file.metadata()["fingerprint"] == store.fingerprint
        assert file.get_tensor("router_keys").shape == (3, 4, 10) and file.get_tensor("router_scales").dtype == torch.float16
        assert file.get_tensor("content_kv").shape == (4 * 3 * 2 * 2 * (7 + 2),)


def test_documents_keep_the_order_asked_for(store, make):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 4)])
    ids = store.all_document_ids()[::-1]
    assert [row.id for row in store.documents([*ids, 999])] == ids
    wanted = [states[0].shape[1] for states in fetch_pooled_kv(store, ids)]
    assert wanted == [row.n_chunks for row in store.documents(ids)]


def test_slices_and_lines_of_a_text_of_many_blocks(store, make):
    text = "".join(f"line {i} \u00e9\U0001f600\r\n" for i in range(20_000))
    with store.writer() as writer:
        (source_id,) = writer.commit([make.source("long.txt", 5, text=text)])
    for start, end in [(0, 10), (65_530, 65_545), (131_072, 131_073), (100, 200_000), (len(text) - 5, len(text) + 9)]:
        assert store.text(source_id, start, end) == text[start:end]
        lines = (text.count("\n", 0, start) + 1, text.count("\n", 0, min(end, len(text)) - 1) + 1)
        if end <= len(text):
            assert store.line_range(source_id, start, end) == lines
    assert store.text(source_id, 5, 5) == "" and store.verify() == []


def test_records_know_their_line_and_pages_their_number(store, make):
    record = make.source("a.jsonl", 1, record="r-7", line=7)
    paged = make.source("b.pdf", 1, text="x" * 100, page_starts=[0, 40, 80], kind="pdf")
    with store.writer() as writer:
        ids = writer.commit([record, paged])
        assert store.line_range(ids[0], 3, 30) == (7, 7)
        writer.touch(ids[0], 55, 66, line=9)
    row = store.source(ids[0])
    assert (row.mtime_ns, row.size, row.line, row.display) == (55, 66, 9, "a.jsonl#r-7")
    paged_row = store.source(ids[1])
    assert [page_of(paged_row, char) for char in (0, 39, 40, 99)] == [1, 1, 2, 3] and page_of(row, 5) is None


def test_names_are_made_unique_by_their_root_and_stay(store, make):
    with store.writer() as writer:
        for root in ("/home/ann/notes", "/home/bob/notes", "/home/cy/notes"):
            writer.commit([make.source("a.txt", 1, root=root), make.source("r.jsonl", 1, root=root, record="1")])
        first = store.find("a.txt")[0]
        writer.forget([first.id])
        writer.commit([make.source("r.jsonl", 1, root="/home/bob/notes", record="2")])
    bob = ["notes/a.txt", "notes/r.jsonl#1", "notes/r.jsonl#2"]
    assert [row.display for row in store.sources()] == ["cy/notes/a.txt", "cy/notes/r.jsonl#1", *bob, "r.jsonl#1"]


def test_find_takes_names_files_ids_and_absolute_paths(store, make):
    with store.writer() as writer:
        a, one, two = writer.commit(
            [make.source("d/a.txt", 1), make.source("q.jsonl", 1, record="1"), make.source("q.jsonl", 1, record="2")]
        )
    for wanted, ids in {
        "d/a.txt": [a], "q.jsonl#2": [two], "q.jsonl": [one, two], str(two): [two], "/library/d/a.txt": [a],
        "/library/q.jsonl": [one, two], "/library/q.jsonl#1": [one], "nothing": [], "99": [], "": [], "/": [],
    }.items():  # fmt: skip
        assert [row.id for row in store.find(wanted)] == ids, wanted
    assert store.source_by_identity("/library", "q.jsonl", "2").id == two
    assert store.source_by_identity("/library", "q.jsonl", None) is None


def test_odd_names_and_texts_are_stored_as_they_are(store, make):
    name, text = "caf\u00e9 \udcff's.txt", "nul \x00 lone \ud800 quote ' \" end uniqueword"
    with store.writer() as writer:
        (source_id,) = writer.commit([make.source(name, 1, text=text)])
        assert store.find(name)[0].id == source_id and store.text(source_id) == text
        assert store.search_text("uniqueword", 1) and store.verify() == []
        writer.forget([source_id])
    assert store.sources() == [] and store.verify() == []


def test_a_changed_source_replaces_its_old_version(store, make):
    with store.writer() as writer:
        old = writer.commit([make.source("a.txt", 3, text="oldest words " * 9), make.source("b.txt", 1)])
        documents = set(store.all_document_ids())
        new = writer.commit([make.source("a.txt", 2, text="newest words " * 9)])
    assert new == old[:1] and store.text(new[0]).startswith("newest")
    assert store.search_text("oldest", 5) == [] and len(store.search_text("newest", 5)) == 2
    assert not documents & {row.id for row in store.source_documents(new[0])} and store.verify() == []
    assert len(RouterKeys.load(store).document_ids) == 3


def test_a_large_source_arrives_in_several_commits(store, make):
    source, documents = make.source("big.txt", 6)
    with store.writer() as writer:
        (source_id,) = writer.commit([(source, documents[:2])])
    row = store.source(source_id)
    assert (row.n_documents, row.total_documents, row.complete) == (2, 6, 0) and store.verify() == []
    with store.writer() as writer:
        with pytest.raises(ValueError, match="continue"):
            writer.commit([(source, documents[3:])])
        writer.commit([(source, documents[2:4]), (source, documents[4:])])
    row = store.source(source_id)
    assert row.complete and row.n_tokens == sum(d.states.n_tokens for d in documents) and store.verify() == []
    with store.writer() as writer:
        changed, fresh = make.source("big.txt", 4)
        with pytest.raises(ValueError, match="continue"):
            writer.commit([(changed, fresh[2:])])
        writer.commit([(changed, fresh[:1])])
    assert not store.source(source_id).complete and len(store.all_document_ids()) == 1 and store.verify() == []


def test_footprint_adds_up(store, make):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 3), make.source("b.md", 2, kind="markdown")])
        writer.commit([make.source("c.txt", 1)])
    footprint = store.footprint()
    assert (footprint["documents"], footprint["sources"], footprint["segments"]) == (6, 3, 2)
    assert footprint["kinds"] == {"markdown": 1, "text": 2}
    assert footprint["bytes"]["router_keys"] == footprint["chunks"] * 3 * (10 + 4)
    on_disk = sum(path.stat().st_size for path in store.directory.rglob("*.s*") if not path.name.endswith("-shm"))
    assert 0 <= on_disk - sum(footprint["bytes"].values()) < 2000  # two headers


def test_open_tells_what_is_wrong(tmp_path, store):
    with pytest.raises(NoMemoryError):
        Store.open(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="already"):
        Store.create(store.directory, "tiny", "f", store.shape)
    for content in (b"this is not a database, not at all" * 99, b""):
        bad = tmp_path / f"bad{len(content)}"
        bad.mkdir()
        (bad / "catalog.sqlite").write_bytes(content)
        with pytest.raises(StoreCorruptError, match="catalog.sqlite"):
            Store.open(bad)
    store.check_model("f" * 32, "tiny")
    with pytest.raises(ModelMismatchError, match="msa rebuild"):
        store.check_model("0" * 32, "other")


def test_a_newer_schema_is_refused(store):
    import sqlite3

    with sqlite3.connect(store.directory / "catalog.sqlite") as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(StoreError, match="newer"):
        Store.open(store.directory)


def test_a_directory_that_cannot_be_written_is_read_without_new_files(store, make, monkeypatch):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 2)])
    store.close()
    monkeypatch.setattr("engine.store.catalog.os.access", lambda *_: False)
    names = sorted(path.name for path in store.directory.iterdir())
    with Store.open(store.directory) as reader:
        assert len(reader.sources()) == 1 and reader.verify() == []
        assert len(fetch_pooled_kv(reader, reader.all_document_ids())) == 2
        assert sorted(path.name for path in store.directory.iterdir()) == names


def test_importing_the_store_loads_no_tensors():
    code = "import sys, engine.store; print([m for m in ('torch', 'numpy', 'sqlite_utils', 'filelock') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert run.stdout.strip() == "[]", run.stderr


def test_resident_bytes_are_those_in_the_page_cache(tmp_path):
    import os

    from engine.store.residency import resident_bytes

    path = tmp_path / "file"
    path.write_bytes(bytes(1 << 20))
    assert resident_bytes(path, 1 << 19) in (1 << 19, 0)  # 0 only where mincore is not to be had
    assert resident_bytes(tmp_path / "none", 10) == 0
    (tmp_path / "empty").touch()
    assert resident_bytes(tmp_path / "empty", 0) == 0
    assert os.path.getsize(path) == 1 << 20


def test_keys_beyond_the_budget_are_mapped_and_the_same(store, make, joined):
    with store.writer() as writer:
        for i in range(4):
            writer.commit([make.source(f"{i}.txt", 3), make.source(f"{i}b.txt", 2)])
        writer.forget([store.find("1b.txt")[0].id])
    whole = RouterKeys.load(store)
    assert [b.place for b in whole.blocks] == ["RAM"]
    total = whole.blocks[0].nbytes
    for ram in (0, 1, total // 3, total - 1, total):
        loaded = RouterKeys.load(store, budget=Budget(ram=ram))
        assert sum(b.nbytes for b in loaded.blocks if b.place == "RAM") <= ram
        assert ("disk" in {b.place for b in loaded.blocks}) == (ram < total)
        assert [b.first for b in loaded.blocks][1:] == [b.first + b.documents for b in loaded.blocks][:-1]
        assert all(a.equal(b) for a, b in zip(joined(loaded), joined(whole), strict=True))
        assert loaded.document_ids.equal(whole.document_ids)


def test_mapped_keys_outlive_the_file_they_were_in(store, make, joined):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 2), make.source("b.txt", 1)])
        loaded = RouterKeys.load(store, budget=Budget(ram=0))
        before = [t.clone() for t in joined(loaded)]
        writer.forget([store.find("a.txt")[0].id])
    assert all(a.equal(b) for a, b in zip(joined(loaded), before, strict=True))


def test_every_room_takes_what_fits_it(store, make, joined):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 9, tokens=100)])
    whole = RouterKeys.load(store)
    a_document = whole.blocks[0].nbytes // 9
    layout, _ = _layout(store)
    cpu = torch.device("cpu")
    blocks = load_blocks(store, layout, [(cpu, 4 * a_document), (cpu, a_document - 1), (cpu, 3 * a_document + 1)])
    assert [(b.place, b.first, b.documents) for b in blocks] == [("RAM", 0, 4), ("RAM", 4, 3), ("disk", 7, 2)]
    assert joined(replace(whole, blocks=blocks))[0].equal(whole.blocks[0].keys)
