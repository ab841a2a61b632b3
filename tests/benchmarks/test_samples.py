"""Question files say what stands in their corpora, and an answer is judged as the benchmark says."""

import json
from pathlib import Path

import pytest

from benchmarks import samples
from benchmarks.corpus import modules
from benchmarks.scoring import normalised
from engine import Answer
from engine.results import Citation

LIBRARY = [json.loads(line) for line in (Path(samples.__file__).parent / "library_questions.jsonl").open()]
QUESTION = {
    "question": "How long does the battery last?",
    "answers": ["two hours"],
    "sources": [{"source": "a.md", "record": None}],
    "answerable": True,
}


def given(text: str | None, source: str = "a.md") -> Answer:
    cited = [Citation(source, None, None, (1, 1), 0, 9, "some text")] if text else []
    return Answer("q", text, text is not None, 0.7, cited, [], {})


def test_every_answer_about_the_library_stands_in_its_module(tmp_path):
    modules(tmp_path, {s["source"] for q in LIBRARY for s in q["sources"]})
    for question in LIBRARY:
        for source in question["sources"]:
            text = (tmp_path / source["source"]).read_text(encoding="utf-8")
            assert any(answer in text for answer in question["answers"]), question
        assert all(normalised(a) for a in question["answers"])
        assert bool(question["answers"]) == question["answerable"]


@pytest.mark.parametrize(
    "text, source, expected",
    [
        ("within two hours of it", "a.md", (True, True)),
        ("two hours", "b.md", (True, False)),
        ("two", "a.md", (False, True)),
        ("two hours and a very long sentence about something else altogether", "a.md", (False, True)),
        (None, "a.md", (False, False)),
    ],
)
def test_right_means_words_and_source(text, source, expected):
    assert samples.right(given(text, source), QUESTION) == expected


def test_why_and_how_may_be_answered_by_their_sentence():
    sentence = "It rests for two hours because the cells must cool down first"
    assert samples.right(given(sentence), QUESTION)[0] is False
    assert samples.right(given(sentence), {**QUESTION, "question": "Why does the battery rest?"})[0] is True


def test_not_found_is_right_where_there_is_no_answer():
    unknown = {**QUESTION, "answers": [], "answerable": False}
    assert samples.right(given(None), unknown) == (True, True)
    assert samples.right(given("two hours"), unknown)[0] is False
