"""The growth benchmark: the same questions, more text around their passages, and gold passages told from the rest."""

import json
import lzma
import sys

import pytest

from benchmarks import growth


@pytest.fixture
def folders(tmp_path):
    qa, text = tmp_path / "qa", tmp_path / "text"
    qa.mkdir(), text.mkdir()
    passages = [
        {"id": "p1", "title": "Tista", "text": "The bridge over the Tista was opened in 1907. Ida Krog cut the ribbon."},
        {"id": "p2", "title": "Marwick", "text": "The tower of Marwick has ninety steps. From its top one sees the lake."},
    ]
    asked = [
        {"id": "q1", "question": "When was the bridge over the Tista opened?", "answers": ["1907"], "type": "extractive",
         "contexts": [{"id": "p1", "gold": True}]},
        {"id": "q2", "question": "How many steps has the tower of Marwick?", "answers": ["ninety"], "type": "extractive",
         "contexts": [{"id": "p2", "gold": True}]},
    ]  # fmt: skip
    for name, rows in (("toy.contexts", passages), ("toy.valid.questions", asked)):
        with lzma.open(qa / f"{name}.jsonl.xz", "wt") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)
    for name, word in (("a", "grain"), ("b", "rope")):
        rows = [{"id": "p1", "title": name, "text": f"Page {i} is about {word}. " * 30} for i in range(12)]
        (text / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return qa, text


def test_text_joins_in_turn(folders):
    titles = [r["title"] for r in growth.in_turn(folders[1])]
    assert titles[:4] == ["a", "b", "a", "b"] and len(titles) == 24


def test_a_memory_grows_and_gold_passages_are_still_told_apart(folders, monkeypatch, capsys):
    sizes = "600,2400"
    arguments = ["growth", *map(str, folders), "--sizes", sizes, "--sets", "toy", "--encode", "800", "--passages", "2"]
    monkeypatch.setattr("engine.encoding.COMMIT_CHARACTERS", 2000)
    monkeypatch.setattr(sys, "argv", arguments)
    growth.main()
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    small, large = last["sizes"]
    assert last["questions"] == 2 and 400 < small["tokens"] < 1200 < large["tokens"]
    assert small["resampled"] == 0 < large["resampled"] < 1
    assert small["R@5 one round"] == large["R@5 hops"] == 100.0 and large["F1"] > 50
    assert small["against_smallest"]["F1"] == [0.0, 0.0, 0.0]


def test_too_little_text_is_said(folders, tmp_path):
    with pytest.raises(SystemExit, match="not so much text"):
        growth.write_more(growth.in_turn(folders[1]), 10**6, tmp_path / "more.jsonl")
