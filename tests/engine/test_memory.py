from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tiny import HANDBOOK, NOTES, RECORDS, write_records

from engine import Memory, MsaError
from engine.errors import ModelMismatchError, NoMemoryError, StoreLockedError

ROOT = Path(__file__).parents[2]
NAMES = ["handbook.md", "notes.txt", "page.html", "plants.jsonl#a1", "plants.jsonl#b2", "src/retry.py"]


def names(memory: Memory) -> list[str]:
    return [source.name for source in memory.sources()]


def counts(report) -> tuple[int, int, int]:
    return report.added, report.changed, report.unchanged


def long_text(words: int) -> str:
    said = (f"Paragraph {n} says that the fern number {n} needs water and shade." for n in range(words // 12))
    return "\n\n".join(said)


def test_files_of_all_kinds_go_in(memory, files):
    assert names(memory) == NAMES
    assert {s.kind for s in memory.sources()} == {"markdown", "text", "html", "jsonl", "code"}
    report = memory.ingest([files])
    assert counts(report) == (0, 0, 6) and report.documents == 0
    assert memory.verify().sound


def test_the_report_counts_what_the_store_holds(open_memory, files):
    seen = []
    memory = open_memory()
    report = memory.ingest([files], progress=seen.append)
    stats = memory.stats()
    assert counts(report) == (6, 0, 0)
    assert (report.documents, report.tokens) == (stats.documents, stats.tokens)
    last = seen[-1]
    assert (last.files_done, last.files_total) == (5, 5)
    assert last.bytes_done == last.bytes_total == sum(p.stat().st_size for p in files.rglob("*.*") if p.is_file())
    assert last.tokens == report.tokens
    assert report.seconds > 0 and {"read", "cut", "encode", "store"} <= report.timings_ms.keys()


def test_a_changed_file_replaces_what_was_held(memory, files):
    (files / "notes.txt").write_text("Mina Okafor moved to Porto.")
    assert counts(memory.ingest([files])) == (0, 1, 5)
    held = memory.find("notes.txt")[0]
    assert held.documents == 1
    [first, *_] = memory.recall("moved to Porto", 3).documents
    assert first.source == "notes.txt"
    assert names(memory) == NAMES and memory.verify().sound


def test_missing_is_reported_and_pruned_only_under_the_given_roots(memory, files, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("The lamp stands outside.")
    memory.ingest([outside])
    outside.unlink()
    (files / "handbook.md").unlink()
    (files / "src" / "retry.py").unlink()
    assert memory.ingest([files]).missing == ["handbook.md", "src/retry.py"]
    report = memory.ingest([files / "src"], prune=True)
    assert (report.pruned, report.missing) == (1, [])
    assert "handbook.md" in names(memory) and "outside.txt" in names(memory)
    assert memory.ingest([files], prune=True).pruned == 1
    assert "handbook.md" not in names(memory) and "outside.txt" in names(memory)


def test_a_root_written_with_dots_finds_what_is_missing(memory, files, monkeypatch):
    (files / "notes.txt").unlink()
    monkeypatch.chdir(files / "src")
    assert memory.ingest([Path("..")]).missing == ["notes.txt"]


def test_a_file_that_cannot_be_looked_at_is_not_missing(memory, files, monkeypatch):
    away = files / "notes.txt"
    kept = Path.stat

    def stat(path, **options):
        if path == away:
            raise PermissionError(13, "Permission denied", str(path))
        return kept(path, **options)

    monkeypatch.setattr("engine.ingest.discover", lambda roots, hidden: type("D", (), {"found": [], "skipped": []}))
    monkeypatch.setattr(Path, "stat", stat)
    assert "notes.txt" not in memory.ingest([files], prune=True).missing
    assert "notes.txt" in names(memory)


def test_a_file_under_another_root_is_not_stored_twice(memory, files):
    assert counts(memory.ingest([files / "src" / "retry.py", files / "src"])) == (0, 0, 1)
    (files / "src" / "retry.py").write_text("LIMIT = 5\n")
    assert counts(memory.ingest([files / "src"])) == (0, 1, 0)
    assert names(memory) == NAMES


def test_records_appear_move_and_disappear(memory, files):
    new = {"id": "c3", "title": "Moss", "text": "Moss grows on stone."}
    write_records(files / "plants.jsonl", [new, RECORDS[1]])
    report = memory.ingest([files])
    assert counts(report) == (1, 0, 5)
    assert [n for n in names(memory) if "#" in n] == ["plants.jsonl#b2", "plants.jsonl#c3"]
    by_record = {d.record: d.lines for d in memory.recall("moss stone fern shade", 9).documents}
    assert by_record["c3"] == (1, 1) and by_record["b2"] == (2, 2)


def test_an_interrupted_source_goes_on_where_it_stopped(open_memory, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.encoding.COMMIT_CHARACTERS", 3000)
    big = tmp_path / "big.txt"
    big.write_text(long_text(1500))
    memory = open_memory()
    model = memory._loaded()
    encode, calls = model.encode_documents, []

    def failing(documents):
        calls.append(len(documents))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(documents)

    model.encode_documents = failing
    with pytest.raises(KeyboardInterrupt):
        memory.ingest([big])
    held = memory.find("big.txt")[0].documents
    assert held == sum(calls[:2])
    assert memory.verify().sound
    model.encode_documents = encode
    report = memory.ingest([big])
    assert counts(report) == (1, 0, 0)
    whole = memory.find("big.txt")[0].documents
    assert report.documents == whole - held
    store = memory._store
    texts = [store.document_text(d.id) for d in store.source_documents(memory.find("big.txt")[0].id)]
    assert "".join("".join(texts).split()) == "".join(big.read_text().split())
    assert counts(memory.ingest([big])) == (0, 0, 1) and memory.verify().sound


def test_failures_are_named_and_the_rest_goes_in(open_memory, files):
    (files / "broken.pdf").write_bytes(b"%PDF-1.4 nonsense")
    (files / "empty.txt").write_text(" \n")
    (files / "plants.jsonl").write_text(json.dumps(RECORDS[0]) + "\n{oops\n")
    report = open_memory().ingest([files])
    assert report.added == 5
    assert [Path(f.path).name for f in report.failed] == ["broken.pdf", "plants.jsonl:2"]
    assert [Path(f.path).name for f in report.skipped] == ["empty.txt"]


def test_a_broken_version_of_a_file_keeps_the_old_one(memory, files):
    (files / "notes.txt").write_bytes(b"\0\1\2 nothing to read")
    report = memory.ingest([files])
    assert report.skipped and "notes.txt" in names(memory)


def test_what_cannot_be_asked_for(open_memory, tmp_path):
    memory = open_memory()
    with pytest.raises(MsaError, match="no such file"):
        memory.ingest([tmp_path / "nowhere"])
    with pytest.raises(NoMemoryError, match="msa ingest"):
        memory.sources()
    with pytest.raises(NoMemoryError):
        Memory.open(tmp_path / "memory")
    assert not (tmp_path / "memory").exists()


def test_dry_run_writes_nothing(open_memory, files, tmp_path):
    assert open_memory().ingest([files], dry_run=True).listed == [
        "handbook.md", "notes.txt", "page.html", "plants.jsonl", "src/retry.py"
    ]  # fmt: skip
    assert not (tmp_path / "memory").exists()


def test_forget_takes_a_source_away(memory):
    gone = memory.forget("notes.txt")
    assert gone.sources == ["notes.txt"] and gone.documents == 1
    assert "notes.txt" not in names(memory) and memory.verify().sound
    assert "notes.txt" not in {d.source for d in memory.recall("Lisbon desk key", 10).documents}
    memory.forget("plants.jsonl")
    assert [n for n in names(memory) if "#" in n] == []
    with pytest.raises(MsaError, match="no such source"):
        memory.forget("notes.txt")


def test_recall_returns_k_documents_best_first(memory):
    documents = memory.stats().documents
    for k in (1, 3, documents + 5):
        found = memory.recall("the orchid blooms", k).documents
        assert len(found) == min(k, documents)
        assert [d.rank for d in found] == list(range(1, len(found) + 1))
        assert sorted((d.score for d in found), reverse=True) == [d.score for d in found]
    assert memory.recall("where does Mina Okafor work", 4, max_hops=3).documents


def test_citations_hold_in_the_files(memory, files):
    for question in ("Where does Mina Okafor work?", "What needs shade?", "when is high water", "retry times"):
        answer = memory.ask(question)
        assert answer.found and answer.answer and answer.citations and answer.dropped_citations == 0
        assert answer.hops and answer.timings_ms["total"] > 0
        for cited in answer.citations:
            if cited.record is not None:
                line = (files / cited.source).read_text().splitlines()[cited.lines[0] - 1]
                text = json.loads(line)["text"]
            elif cited.source.endswith(".html"):
                continue
            else:
                text = (files / cited.source).read_bytes().decode()
                lines = text.splitlines(keepends=True)[cited.lines[0] - 1 : cited.lines[1]]
                assert cited.quote in "".join(lines)
            assert text[cited.start : cited.end] == cited.quote
        assert answer.answer in answer.citations[0].quote or answer.answer in ("yes", "no")


def test_a_memory_without_documents_answers_nothing(open_memory, files):
    memory = open_memory()
    memory.ingest([files / "notes.txt"])
    memory.forget("notes.txt")
    answer = memory.ask("Where does Mina Okafor work?")
    assert (answer.found, answer.citations, answer.nearest) == (False, [], [])
    assert memory.recall("Mina").documents == []
    with pytest.raises(MsaError, match="empty"):
        memory.ask("  \n ")


def test_another_model_is_refused_with_the_mending_command(memory, open_memory, other_model, files):
    other = open_memory(other_model)
    for refused in (lambda: other.ingest([files]), lambda: other.ask("who"), lambda: other.recall("who")):
        with pytest.raises(ModelMismatchError, match=r"tiny .*not by other .*`msa rebuild`"):
            refused()
    assert names(other) == NAMES


def test_one_reads_while_the_other_ingests(memory, open_memory, files):
    writing = open_memory()
    for n in range(40):
        (files / f"more{n}.txt").write_text(f"Cabinet {n} holds the lamp {n}.")
    failed = []

    def write():
        try:
            writing.ingest([files])
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive():
        assert memory.ask("Where does Mina Okafor work?").citations
        assert len(memory.recall("cabinet lamp", 5).documents) == 5
    thread.join()
    assert not failed
    assert "more7.txt" in {d.source for d in memory.recall("cabinet 7", 40).documents}
    assert memory.verify().sound


def test_a_second_writer_is_refused(memory, open_memory, files):
    with memory._open().writer(), pytest.raises(StoreLockedError):
        open_memory().ingest([files])


def test_a_memory_made_meanwhile_is_found(open_memory, files):
    early, late = open_memory(), open_memory()
    late.ingest([files])
    assert counts(early.ingest([files])) == (0, 0, 6)
    assert names(early) == NAMES


def test_looking_needs_neither_torch_nor_numpy(memory):
    code = (
        "import sys, engine\n"
        "from engine import Memory\n"
        "with Memory.open(sys.argv[1]) as memory:\n"
        "    assert len(memory.sources()) == 6 and memory.stats().documents\n"
        "    assert memory.find('notes.txt')\n"
        "print(sorted({'torch', 'numpy'} & sys.modules.keys()))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(memory.store_dir)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


def test_stored_text_is_the_file(memory):
    store = memory._open()
    assert store.text(memory.find("notes.txt")[0].id) == NOTES
    assert store.text(memory.find("handbook.md")[0].id) == HANDBOOK


def test_a_gpu_without_room_is_left_for_the_cpu(memory, monkeypatch, caplog):
    answer = memory.ask("Who keeps the light?")
    whole, failing = memory._model, type("OutOfMemoryError", (RuntimeError,), {})

    class Full:
        device = type("Device", (), {"type": "cuda"})

        def __getattr__(self, name):
            raise failing("no room")

    def loaded():
        memory._model = memory._model or whole
        return memory._model

    monkeypatch.setattr(memory, "_loaded", loaded)
    memory._model, memory._asker = Full(), None
    assert memory.ask("Who keeps the light?").answer == answer.answer
    assert memory._device == "cpu" and "going on with the CPU" in caplog.text
