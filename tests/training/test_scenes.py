"""Scenes: what a file says, pages drawn from it, and where the answers stand on them."""

import random
import sys

import pytest

from benchmarks.sets import read_lines
from training.scenes import pages
from training.scenes.pages import Pages, page, said
from training.scenes.parse import Scene, parsed, read_scenes, sound
from training.scenes.values import Values

SCENE = """@scene Cellar of a {n}-room inn
@title Cellar of {who}
@kind prose
@slot n int 2 9
@slot big int 100 90000
@slot sum money 2 9
@slot who person
@slot door choice oak door|iron door|green door
@noise The cellar is dry.
@fact
@say
Casks stay [[{n} weeks]].
@say
- casks: [[{n} weeks]]
@ask How long may barrels lie?
@yes Do barrels lie for a while?
@fact
@say
{who} holds the key of the [[{door}]].
@ask Which entrance can be locked?
@no Is every entrance open?
"""
CODE = """@scene A tool
@title tool.py
@kind code
@head
\"\"\"Counts.\"\"\"
import os

@slot n int 2 9
@fact
@say
LIMITS = {{"row": [[{n}]]}}
@say
def rows(limit=[[[{n}]]]):
    return limit
@ask How many lines at once?
"""
BLOCK = """@scene Leave
@title Leave
@slot a int 21 24
@slot b int 25 28
@block
| Years | Days |
|---|---|
| under 5 | [[1:{a} days]] |
| more | [[2:{b} days]] |
@also
First {a} days; let it be [[1:{a} days]], then [[2:{b} days]].
@ask 1 I came last year. How much?
@ask 2 I have been here for ages. How much?
@yes 2 Do old hands get more?
@fact
@say
The cook is [[Ida]].
@ask 3 men are hungry; who helps?
"""


def more(text: str, facts: int) -> str:
    lines = (f"@fact\n@say\nRule {i} is for [[{{who}}]].\n@ask Who has {i}?\n" for i in range(facts))
    return text + "".join(lines)


def test_a_file_is_its_scenes():
    prose, code = parsed(SCENE + CODE)
    assert [(len(f.say), len(f.ask), len(f.yes), len(f.no)) for f in prose.facts] == [(2, 1, 1, 0), (1, 1, 0, 1)]
    assert prose.facts[0].say[1] == "- casks: [[{n} weeks]]" and prose.noise == ["The cellar is dry."]
    assert code.head.startswith('"""Counts."""\nimport os') and code.slots == {"n": "int 2 9"}


def test_a_block_says_several_facts():
    (scene,) = parsed(BLOCK)
    first, second, alone = sound(scene).facts
    assert "[[{a} days]]" in first.say[0] and "| {b} days |" in first.say[0] and first.say[1].startswith("First {a} days; let it be [[{a} days]], then {b} days")
    assert (first.ask, second.yes) == (["I came last year. How much?"], ["Do old hands get more?"])
    assert (alone.ask, alone.block) == (["3 men are hungry; who helps?"], None)
    for seed in range(20):
        assert set(page(sound(scene), [], 0, random.Random(seed)).answers) == {2}
        told = page(sound(scene), [1], None, random.Random(seed))
        assert set(told.answers) <= {1, 2} and told.text.count(told.values["b"] + " days") == 1


def test_what_belongs_to_nothing_is_an_error():
    with pytest.raises(ValueError, match="line 3"):
        list(parsed("@scene A\n@title b\nstray"))


def test_a_saying_holds_one_answer_and_known_slots():
    (scene,) = parsed("@scene A\n@fact\n@say\nnone\n@say\n[[a]] or [[b]]\n@say\n[[{x}]]\n@say\nthe [[cat]]\n@ask who is {x}?\n@ask who?")
    (fact,) = sound(scene).facts
    assert (fact.say, fact.ask) == (["the [[cat]]"], ["who?"])


def test_the_answer_stands_where_it_is_said_to():
    assert said("a {n} [[{n} weeks]].", {"n": "3"}) == ("a 3 3 weeks.", 4, 11)
    text, begin, end = said('x = {{"row": [[{n}]]}}', {"n": "5"})
    assert (text, text[begin:end]) == ('x = {"row": 5}', "5")
    text, begin, end = said("def f(x=[[[{n}]]]):", {"n": "5"})
    assert (text, text[begin:end]) == ("def f(x=[5]):", "5")


def test_a_page_says_what_it_must_and_never_what_it_must_not():
    (scene,) = parsed(more(SCENE, 9))
    for seed in range(50):
        rng = random.Random(seed)
        told = page(scene, [0], None, rng)
        begin, end = told.answers[0]
        assert told.text[begin:end] == f"{told.values['n']} weeks" and len(told.text) < pages.PAGE + 100
        for begin, end in told.answers.values():
            assert told.text[begin:end]
        assert 0 not in page(scene, [], 0, rng).answers
        assert "{" not in told.text + told.title and "[[" not in told.text


def test_values_are_of_their_sorts():
    drawn = Values(random.Random(3), True)
    some = {kind: [drawn.value(kind) for _ in range(40)] for kind in ("int 3 9", "int 100 90000", "choice a|b", "year 1900 1910", "percent 1 9", "time", "person")}
    assert all(3 <= int(v) <= 9 for v in some["int 3 9"]) and all(100 <= int(v) <= 90000 for v in some["int 100 90000"])
    assert set(some["choice a|b"]) == {"a", "b"} and all(1900 <= int(v) <= 1910 for v in some["year 1900 1910"])
    assert len(set(some["time"])) > 5 and all(" " in v for v in some["person"])
    with pytest.raises(ValueError, match="colour"):
        drawn.value("colour 1")


def test_values_of_a_page_differ():
    for seed in range(20):
        taken = Values(random.Random(seed), False).drawn({"a": "int 1 4", "b": "int 1 4", "c": "int 1 4"})
        assert len(set(taken.values())) == 3


def test_samples_are_asked_of_pages_that_answer(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text(more(SCENE, 6) + more(CODE.replace("@slot n", "@slot who person\n@slot n"), 6), encoding="utf-8")
    out = tmp_path / "out.jsonl"
    monkeypatch.setattr(sys, "argv", ["pages", str(out), str(tmp_path), "--asked", "12"])
    pages.main()
    rows = list(read_lines(out))
    assert len(rows) == 12 * (2 + 6 + 2 + 1 + 6)
    assert {r["kind"] for r in rows} == {"span", "yes", "no", "null"} and {r["set"] for r in rows} == {"scenes", "code"}
    for row in rows:
        assert (not row["golds"]) == (row["kind"] == "null") and row["negatives"]
        for gold in row["golds"]:
            ((begin, end),) = gold["spans"]
            assert 0 <= begin < end <= len(gold["text"])
        if row["question"] == "How long may barrels lie?":
            assert not any("weeks" in n["text"] for n in row["negatives"])


def test_scenes_of_few_facts_are_left_out(tmp_path):
    (tmp_path / "a.txt").write_text(SCENE, encoding="utf-8")
    assert read_scenes([tmp_path / "a.txt"]) == []
    (tmp_path / "a.txt").write_text(more(SCENE, 3), encoding="utf-8")
    assert [type(s) for s in read_scenes([tmp_path / "a.txt"])] == [Scene]
