"""Questions made unanswerable: something that the passage does not speak of is asked for."""

import random

from training.batches import _without_answer
from training.unanswerable import unanswerable_samples

TEXT = "The bridge at Halden was opened in 1907 by Ida Krog. It was the first bridge over the Tista. A mill stood there."
OTHER = "From the tower at Marwick one looks over to Vale and to the lake."


def sample(question: str, answer: str, text: str = TEXT) -> dict:
    at = text.index(answer)
    gold = {"title": "", "text": text, "spans": [[at, at + len(answer)]]}
    return {"set": "squad", "question": question, "kind": "span", "golds": [gold], "negatives": []}


SAMPLES = [
    sample("Who opened the bridge at Halden?", "Ida Krog"),
    sample("Which bridge was the first one over the river?", "bridge"),
    sample("Who opened something in 1907?", "Ida Krog"),
    sample("From where does one see Vale?", "the tower", OTHER),
]


def made() -> list[dict]:
    return [s for seed in range(60) for s in unanswerable_samples(SAMPLES, 4, random.Random(seed))]


def test_each_kind_of_change_happens_and_keeps_the_passage():
    samples = made()
    asked = {s["question"] for s in samples}
    assert not asked & {s["question"] for s in SAMPLES}
    assert any("Marwick" in q for q in asked)
    assert "Which bridge was the last one over the river?" in asked
    assert any(q.startswith("Who opened something in ") and "1907" not in q for q in asked)
    assert all(s["kind"] == "null" and not s["golds"] and s["negatives"][0]["text"] in (TEXT, OTHER) for s in samples)


def test_what_the_passage_tells_of_is_not_asked_for():
    told = sample("Which was the first bridge?", "bridge", "The first bridge was wide, the last bridge narrow.")
    assert not [s for seed in range(40) for s in unanswerable_samples([told], 1, random.Random(seed))]


def test_the_sentence_that_answers_is_taken_out():
    long = TEXT + " A ferry had carried people and carts over the water for two hundred years."
    gold = sample("Who opened it?", "Ida Krog", long)["golds"][0]
    without = _without_answer(gold, by_line=False)
    assert without is not None and "Ida" not in without["text"] and "the first bridge" in without["text"]
    twice = sample("What is it?", "bridge", long)["golds"][0]
    assert _without_answer(twice, by_line=False) is None
