"""A file too large to hold is a string of slices: the same text, documents and citations as if it were read whole."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import SURE, save_model  # noqa: E402

from engine import Memory  # noqa: E402
from engine.errors import SourceError  # noqa: E402
from engine.sources import cut, long_text, read, read_source  # noqa: E402
from engine.sources.long_text import LongText  # noqa: E402

LETTERS = "abc défg ŵxyz 漢字 🙂 , . "


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Blocks, reads and parts so small that every boundary is met."""
    monkeypatch.setattr(long_text, "BLOCK_CHARACTERS", 7)
    monkeypatch.setattr(long_text, "_READ_BYTES", 5)
    monkeypatch.setattr(long_text, "PART_CHARACTERS", 400)
    monkeypatch.setattr(read, "LONG_BYTES", 1000)


def story(seed: int, paragraphs: int) -> str:
    rng = random.Random(seed)
    made = ("".join(rng.choices(LETTERS, k=rng.randrange(1, 120))) + f" number {i}." for i in range(paragraphs))
    return "\n\n".join(made) + rng.choice(("", "\n", "\n\n"))


@pytest.mark.parametrize("text", ["", "x", "abcdefg", "abcdefgh", "é" * 14, "🙂" * 15 + "a", story(1, 20), "\ufeff" + story(2, 3)])
def test_slices_are_those_of_the_text(tmp_path, text):
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    long, rng = LongText(path), random.Random(4)
    assert len(long) == len(text) and long[:] == text and long[3:2] == ""
    for _ in range(200):
        a, b = rng.randrange(-5, len(text) + 5), rng.randrange(-5, len(text) + 9)
        assert long[a:b] == text[a:b]
    assert "".join(part for _, part in long.parts()) == text
    assert [start for start, _ in long.parts()] == [sum(map(len, [p for _, p in list(long.parts())[:i]])) for i in range(len(list(long.parts())))]


def test_parts_end_at_blank_lines(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(story(5, 60), encoding="utf-8")
    parts = [part for _, part in LongText(path).parts()]
    assert len(parts) > 5 and all(len(p) <= 400 and p.endswith("\n") for p in parts[:-1])


def test_only_large_plain_utf8_is_left_in_its_file(tmp_path):
    text = story(6, 60)
    for name, data in {"a.txt": text.encode(), "b.md": text.encode(), "c.txt": text.encode("utf-16"), "d.txt": b"short",
                       "e.txt": text.encode("utf-8")[:-1] + b"\xff", "f.txt": b" \n" * 2000}.items():  # fmt: skip
        (tmp_path / name).write_bytes(data)
    held = {p.name: [type(s.text) for s in read_source(p).sources] for p in sorted(tmp_path.iterdir())}
    assert held == {"a.txt": [LongText], "b.md": [str], "c.txt": [str], "d.txt": [str], "e.txt": [str], "f.txt": []}
    assert read_source(tmp_path / "f.txt").errors[0].reason == "empty"


def test_a_file_that_changes_is_told(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(story(7, 60), encoding="utf-8")
    [source] = read_source(path).sources
    path.write_text("shorter now", encoding="utf-8")
    with pytest.raises(SourceError, match="changed while it was read"):
        cut(source, "a.txt", lambda texts: [len(t.split()) for t in texts], 40)


def test_every_character_is_in_one_document(tmp_path):
    path = tmp_path / "a.txt"
    text = story(8, 80)
    path.write_text(text, encoding="utf-8")
    [source] = read_source(path).sources
    spans = cut(source, "a.txt", lambda texts: [len(t.split()) for t in texts], 40)
    assert all(a.end <= b.start for a, b in zip(spans, spans[1:]))
    assert "".join("".join(text[s.start : s.end].split()) for s in spans) == "".join(text.split()).replace("\ufeff", "")


def test_ingested_asked_replaced_and_forgotten(tmp_path):
    path = tmp_path / "files" / "log.txt"
    path.parent.mkdir()
    path.write_text(story(9, 50) + "\n\nMina Okafor works in Lisbon.\n\n" + story(10, 50), encoding="utf-8")
    model = save_model(tmp_path / "model", policy={**SURE, "lexical_weight": 5.0})
    with Memory.open(tmp_path / "m", model=model, device="cpu", create=True) as memory:
        assert memory.ingest([path.parent]).added == 1
        assert memory.ingest([path.parent]).unchanged == 1
        [document, *_] = memory.recall("Mina Okafor Lisbon", 1).documents
        text = path.read_text(encoding="utf-8")
        first, last = document.lines
        assert "Mina Okafor works" in "\n".join(text.split("\n")[first - 1 : last])
        answer = memory.ask("Where does Mina Okafor work?")
        assert answer.found and all(text[c.start : c.end] == c.quote for c in answer.citations)
        path.write_text(story(11, 70), encoding="utf-8")
        assert memory.ingest([path.parent]).changed == 1
        assert memory.verify().problems == []
        memory.forget("log.txt")
        assert memory.sources() == []
