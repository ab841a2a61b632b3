"""Mined negatives: what the model's own memory routes to, never a gold passage nor one that holds the answer."""

import json
import lzma
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import save_model  # noqa: E402

from benchmarks.sets import passages_in_memory  # noqa: E402
from training.mine import asked, functions, mined  # noqa: E402

PASSAGES = {
    "key": "The key hangs at number 14.",
    "mina": "Mina has the key of the house.",
    "fern": "The fern needs shade.",
    "noon": "High water is at noon.",
    "same": "The number of the house is 1440 in May.",
}
QUESTIONS = [
    {
        "id": "1",
        "question": "what number has the key of Mina",
        "type": "extractive",
        "answers": ["number 14"],
        "contexts": [{"id": "mina", "gold": True}, {"id": "key", "gold": True, "spans": [[17, 26]]}, {"id": "fern", "gold": False}],
    },
    {"id": "2", "question": "when is it high", "type": "extractive", "answers": ["noon"], "contexts": [{"id": "noon", "gold": True, "spans": [[17, 21]]}]},
    {"id": "3", "question": "who", "type": "unanswerable", "answers": [], "contexts": [{"id": "key", "gold": True}]},
]
SOURCE = '''
def held(number):
    """Tell whether the key of this number is held.

    More words."""
    found = number in KEYS
    if found:
        return True
    return False
'''


def write(path: Path, rows: list[dict]) -> None:
    with lzma.open(path, "wt") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def qa(tmp_path: Path) -> Path:
    write(tmp_path / "t.contexts.jsonl.xz", [{"id": i, "title": i, "text": text} for i, text in PASSAGES.items()])
    write(tmp_path / "t.train.questions.jsonl.xz", QUESTIONS)
    return tmp_path


def test_questions_with_gold_passages_are_asked_of_all_passages(qa: Path, tmp_path: Path):
    samples, passages = asked(qa, "t", 9, len(PASSAGES), random.Random(1))
    assert {s["question"] for s in samples} == {q["question"] for q in QUESTIONS[:2]} and passages.keys() == PASSAGES.keys()
    with passages_in_memory(passages, save_model(tmp_path / "model")) as memory:
        rows = {row["question"]: row for row in mined(memory, samples)}
    two = rows[QUESTIONS[0]["question"]]
    assert [len(found) for found in two["after"]] == [3, 3] and rows["when is it high"]["after"] == []
    for found in (two["negatives"], *two["after"]):
        assert sorted(n["title"].split(" > ")[-1] for n in found) == ["fern", "noon", "same"]
    assert two["golds"][1]["spans"] == [[17, 26]] and PASSAGES["key"][17:26] == "number 14"
    assert "ids" not in two and "answers" not in two


def test_an_answer_elsewhere_is_no_negative(qa: Path, tmp_path: Path):
    samples, passages = asked(qa, "t", 9, len(PASSAGES), random.Random(1))
    passages["echo"] = {"id": "echo", "title": "echo", "text": "Ring at Number 14, the key is there."}
    with passages_in_memory(passages, save_model(tmp_path / "model")) as memory:
        rows = {row["question"]: row for row in mined(memory, samples)}
    titles = [n["title"] for n in rows[QUESTIONS[0]["question"]]["negatives"]]
    assert not any("echo" in t for t in titles) and any("noon" in t for t in titles)


def test_functions_are_asked_for_by_their_docstrings(tmp_path: Path):
    write(tmp_path / "code.jsonl.xz", [{"id": "c1", "title": "keys.py", "text": SOURCE}, {"id": "c2", "title": "x.txt", "text": "no code"}])
    [sample], passages = functions(tmp_path / "code.jsonl.xz", 5, random.Random(1))
    assert sample["question"].startswith("Tell whether the key of this number is held") and sample["kind"] == "none"
    [passage] = passages.values()
    assert sample["ids"] == [passage["id"]] and "Tell whether" not in passage["text"] and "in KEYS" in passage["text"]
