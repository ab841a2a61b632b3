"""A memory encoded again: nothing but the states changes, and whatever stops it leaves the memory as it was."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pymupdf
import pytest
from tiny import save_model

from engine import Memory
from engine.errors import ModelMismatchError, StoreError, StoreLockedError
from engine.model.checkpoint import fingerprint
from engine.sources import read_source
from engine.store import SegmentGoneError, Store, search, segment
from engine.store.tiers import RouterKeys

HERE = Path(__file__).parent
KEPT = "id root name record source display kind title content_hash size mtime_ns n_chars page_starts_json line".split()


def kept(memory: Memory) -> list[dict]:
    return [{name: getattr(row, name) for name in KEPT} for row in memory._open().sources()]


def texts(memory: Memory) -> dict[str, str]:
    store = memory._open()
    return {row.display: store.text(row.id) for row in store.sources()}


def documents(memory: Memory) -> list[tuple]:
    store = memory._open()
    return [
        (row.display, d.ordinal, d.start, d.end, d.title, d.n_tokens)
        for row in store.sources()
        for d in store.source_documents(row.id)
    ]


def write_pdf(path: Path, outline: bool) -> None:
    document = pymupdf.open()
    for n in range(3):
        page = document.new_page()
        lines = [f"The lamp number {n} hangs in the hall, on hook {i}." for i in range(5)]
        page.insert_text((72, 200), "\n".join([f"Chapter {n}", *lines]))
    if outline:
        document.set_toc([[1, f"Chapter {n}", n + 1] for n in range(3)])
    document.save(path)


@pytest.fixture
def files(files: Path) -> Path:
    write_pdf(files / "pages.pdf", outline=False)
    write_pdf(files / "outline.pdf", outline=True)
    (files / "long.md").write_text("".join(f"# Part {n}\n\n{'The fern needs water. ' * 30}\n\n" for n in range(6)))
    cells = [{"cell_type": "markdown", "source": ["# Ferns\n", "They need water."]}]
    cells.append({"cell_type": "code", "source": ["# How much\n", "LITRES = 3"]})
    (files / "ferns.ipynb").write_text(json.dumps({"cells": cells}, indent=1))
    (files / "ferns.csv").write_text("fern,litres\n" + "".join(f"fern {n},{n}\n" for n in range(60)))
    return files


def rebuilt(memory: Memory) -> None:
    assert memory.verify().problems == []
    assert memory.recall("the fern needs shade", 3).documents
    answer = memory.ask("Where does Mina Okafor work?")
    assert answer.found and answer.citations


def test_only_the_states_change(memory, open_memory, other_model, files):
    before, held, spans, stats = kept(memory), texts(memory), documents(memory), memory.stats()
    for path in files.rglob("*.*"):
        if path.is_file():
            path.unlink()
    other, seen = open_memory(other_model), []
    report = other.rebuild(progress=seen.append)
    assert (kept(other), texts(other)) == (before, held)
    now = other.stats()
    assert (now.model, now.fingerprint) == ("other", fingerprint(other_model))
    assert (report.changed, report.documents, report.tokens) == (now.sources, now.documents, now.tokens)
    assert now.documents > stats.documents and documents(other) != spans
    assert max(d[-1] for d in documents(other)) <= 64
    assert (seen[-1].files_done, seen[-1].files_total) == (len(before), len(before))
    assert seen[-1].bytes_done == seen[-1].bytes_total and seen[-1].tokens == now.tokens
    rebuilt(other)
    with pytest.raises(ModelMismatchError):
        memory.ask("Where does Mina Okafor work?")
    assert memory.stats().model == "other" and memory.verify().sound


def test_with_the_same_model_the_documents_are_the_same(memory, open_memory, files):
    before = documents(memory)
    reading = open_memory()
    asked = reading.ask("Where does Mina Okafor work?").to_dict()
    memory.rebuild()
    assert documents(memory) == before
    again = reading.ask("Where does Mina Okafor work?").to_dict()
    assert {**asked, "timings_ms": 0} == {**again, "timings_ms": 0}
    assert memory.ingest([files]).unchanged == len(kept(memory))
    rebuilt(memory)


def test_titles_that_the_text_does_not_show_stay(memory, open_memory, other_model):
    open_memory(other_model).rebuild()
    titles = {name: {t for n, _, _, _, t, _ in documents(memory) if n == name} for name, *_ in documents(memory)}
    assert titles["outline.pdf"] == {f"outline.pdf > Chapter {n}" for n in range(3)}
    assert titles["pages.pdf"] == {f"pages.pdf > page {n}" for n in (1, 2, 3)}
    assert titles["page.html"] == {"Harbour > Tides"}
    assert "long.md > Part 3" in titles["long.md"]
    assert titles["ferns.ipynb"] == {"ferns.ipynb > Ferns"} and titles["ferns.csv"] == {"ferns.csv > fern, litres"}
    [held] = read_source(Path(memory._open().find("outline.pdf")[0].root) / "outline.pdf").sources
    assert memory._open().find("outline.pdf")[0].page_starts == held.page_starts


def test_a_source_that_was_cut_short_becomes_whole(memory, open_memory, other_model, files, monkeypatch):
    monkeypatch.setattr("engine.encoding.COMMIT_CHARACTERS", 900)
    (files / "big.txt").write_text("\n\n".join(f"The lamp {n} needs water." * 9 for n in range(20)))
    model = memory._loaded()
    encode, calls = model.encode_documents, []

    def failing(inputs):
        calls.append(inputs)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return encode(inputs)

    model.encode_documents = failing
    with pytest.raises(KeyboardInterrupt):
        memory.ingest([files])
    assert not memory._open().find("big.txt")[0].complete
    other = open_memory(other_model)
    other.rebuild()
    row = other._open().find("big.txt")[0]
    assert row.complete and row.n_documents == row.total_documents
    assert other.ingest([files]).unchanged == len(kept(other))
    rebuilt(other)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_what_stops_it_leaves_the_memory_as_it_was(memory, open_memory, other_model, monkeypatch, error):
    monkeypatch.setattr("engine.encoding.COMMIT_CHARACTERS", 500)
    before = (kept(memory), documents(memory))
    segments = sorted((memory.store_dir / "segments").iterdir())
    write, calls = segment.write, []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise error
        return write(*arguments)

    monkeypatch.setattr(segment, "write", failing)
    with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else StoreError):
        open_memory(other_model).rebuild()
    assert (kept(memory), documents(memory)) == before
    assert sorted((memory.store_dir / "segments").iterdir()) == segments
    rebuilt(memory)


def test_a_disk_that_is_full_at_the_swap_leaves_the_memory_as_it_was(memory, open_memory, other_model, monkeypatch):
    before = (kept(memory), documents(memory), memory.stats().fingerprint)
    add, calls = search.add, []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(*arguments)

    monkeypatch.setattr(search, "add", failing)
    with pytest.raises(StoreError, match="no space left"):
        open_memory(other_model).rebuild()
    assert (kept(memory), documents(memory), memory.stats().fingerprint) == before
    assert len(list((memory.store_dir / "segments").iterdir())) == memory.stats().segments
    rebuilt(memory)


def test_it_needs_the_writer_lock(memory, open_memory, other_model):
    with memory._open().writer(), pytest.raises(StoreLockedError):
        open_memory(other_model).rebuild()


def test_a_kill_leaves_the_old_or_the_new(memory, model_folder, other_model):
    command = [sys.executable, HERE / "kill_rebuild.py", "--rounds", "6", memory.store_dir, model_folder, other_model]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "nothing lost" in ran.stdout


def test_a_writer_that_waited_writes_for_the_present_model(memory, open_memory, model_folder, tmp_path):
    """A writer opened before a rebuild must not put the old model's states beside the new ones."""
    again = save_model(tmp_path / "again", 5)
    waiting = open_memory()
    store = waiting._open()
    open_memory(again).rebuild()
    with store.writer() as writer:
        writer.forget([store.find("notes.txt")[0].id])
    assert waiting.verify().sound
    with pytest.raises(ModelMismatchError):
        waiting.ingest([HERE / "tiny.py"])


def test_a_reader_that_holds_the_old_stamp_does_not_mix_models(memory, open_memory, tmp_path):
    """The states have the same shape: only the stamp tells that they are another model's."""
    with Store.open(memory.store_dir) as reading:
        assert RouterKeys.load(reading).tokens > 0
        open_memory(save_model(tmp_path / "again", 5)).rebuild()
        with pytest.raises(SegmentGoneError, match="encoded anew"):
            RouterKeys.load(reading)
