"""Files read in other processes give the same memory, in the same order, and a crash costs one file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tiny import tokenizer

from engine import Memory, reading
from engine.model.tokenizer import TokenCounter
from engine.reading import FileTask, Readers
from engine.sources.files import lines

CRASHING = """
import os
class Count:
    def __call__(self, texts):
        if any("crash here" in text for text in texts):
            print("this is not an answer", flush=True)
            os._exit(3)
        return [len(text.split()) for text in texts]
"""


def tasks(folder: Path) -> list[FileTask]:
    return [FileTask(p, p.name, p.stat().st_size) for p in sorted(folder.rglob("*")) if p.is_file()]


def told(readers: Readers, folder: Path) -> list[tuple]:
    out = []
    for read in readers.read(tasks(folder)):
        sources = [(s.record, s.title, s.text) for s, _ in read.sources]
        out.append((read.digest, sources, [str(e) for e in read.errors], str(read.failed)))
    return out


@pytest.fixture
def many(files: Path) -> Path:
    (files / "bad.pdf").write_bytes(b"%PDF-1.4 broken")
    (files / "empty.txt").write_bytes(b"")
    (files / "some.jsonl").write_text('{"id": "x", "text": "one"}\n{"broken\n')
    for number in range(20):
        (files / f"more{number}.md").write_text(f"# Page {number}\n\nThe fern number {number} needs water.\n")
    return files


@pytest.mark.parametrize("large", [8 << 20, 40])
def test_other_processes_read_the_same_in_the_same_order(many, monkeypatch, large):
    monkeypatch.setattr(reading, "LARGE_BYTES", large)
    count = TokenCounter(tokenizer())
    with Readers(0, count, 50) as here, Readers(2, count, 50) as there:
        assert told(there, many) == told(here, many)


def test_the_same_memory_comes_of_it(many, tmp_path, model_folder, monkeypatch):
    one, two = (Memory.open(tmp_path / name, model=model_folder, device="cpu", create=True) for name in ("one", "two"))
    one.ingest([many])
    monkeypatch.setattr("engine.memory._readers", lambda model: 2)
    first = two.ingest([many])
    assert [f.path for f in first.failed] == [str(many / "bad.pdf"), f"{many / 'some.jsonl'}:2"]
    assert two.ingest([many]).unchanged == first.added
    assert two.verify().sound

    def held(memory: Memory) -> list[tuple]:
        store = memory._open()
        return [
            (row.display, row.title, store.text(row.id), [(d.start, d.end, d.title) for d in store.source_documents(row.id)])
            for row in store.sources()
        ]

    assert held(two) == held(one)
    one.close(), two.close()


def test_a_crash_costs_the_file_that_caused_it(tmp_path, monkeypatch, capfd):
    (tmp_path / "counting.py").write_text(CRASHING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    from counting import Count

    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.txt").write_text("crash here" if number == 4 else f"text {number}")
    with Readers(2, Count(), 50) as readers:
        read = list(readers.read(tasks(folder)))
    assert [str(r.failed) for r in read if r.failed] == [f"{folder / '4.txt'}: its reader crashed"]
    assert [s.text for r in read for s, _ in r.sources] == [f"text {n}" for n in range(9) if n != 4]
    assert "this is not an answer" in capfd.readouterr().err


def test_no_code_is_loaded_from_the_folder_that_is_read(many, monkeypatch):
    for name in ("pickle", "re", "json"):
        (many / f"{name}.py").write_text("raise SystemExit('loaded from the corpus')")
    (many / "engine").mkdir()
    (many / "engine" / "__init__.py").write_text("raise SystemExit('loaded from the corpus')")
    monkeypatch.chdir(many)
    with Readers(1, TokenCounter(tokenizer()), 50) as readers:
        assert not [r for r in readers.read(tasks(many)) if r.failed and "crashed" in str(r.failed)]


def test_nothing_is_left_running(many):
    readers = Readers(2, TokenCounter(tokenizer()), 50)
    with readers:
        next(readers.read(tasks(many)))
        children = [process._child.pid for process in readers._started]
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_records_come_one_by_one(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"id": n, "text": f"text {n}"}) + "\n" for n in range(100)))
    pulled = []
    monkeypatch.setattr("engine.sources.jsonl.lines", lambda p: (pulled.append(line) or line for line in lines(p)))
    sources = iter(reading.read_file(FileTask(path, "a.jsonl", path.stat().st_size)).sources)
    before = len(pulled)
    assert next(sources)[0].text == "text 0" and len(pulled) - before == 1
