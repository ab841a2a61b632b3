"""Made questions: the answer stands where the span says, and what has no answer has none."""

import random
import re

from training.made_questions import fact_samples, field_samples

SPECIFICATION = {
    "title": "Heron 2 (data sheet)",
    "text": "# Heron 2\n\nMass: 41 kg (with rope)\nLength over all: 2.1 m\nColour: yellow\nBattery life: 14 months\nnothing here\n"
    "Depth rating: 300 m\nMaker: Lund and Sons\nPort: 8080\n",
}
STORY = {
    "title": "The mill",
    "text": "Once Anselm walked to Porto with Beatrix and the dog. "
    + "They met Casimir at the old mill and stayed for a long while by the water. " * 3
    + "Then Dorothea and Edmund came, and Frederick, who told them of Gdansk.",
}
NAMES = ("Anselm", "Porto", "Beatrix", "Casimir", "Dorothea", "Edmund", "Frederick", "Gdansk", "Once", "Then", "They")


def test_fields_are_answered_by_their_values():
    samples = field_samples([SPECIFICATION] * 20, 40, random.Random(1))
    answers = {(s["question"], g["text"][a:b]) for s in samples for g in s["golds"] for a, b in g["spans"]}
    assert {"41 kg", "2.1 m"} <= {answer for _, answer in answers}
    assert all("Heron 2" in question for question, _ in answers)


def test_hidden_facts_belong_to_the_name_asked_for():
    samples = fact_samples([STORY] * 200, 200, random.Random(2))
    assert len(samples) == 200
    spans = [s for s in samples if s["kind"] == "span"]
    for sample in spans:
        [gold] = sample["golds"]
        [[a, b]] = gold["spans"]
        sentence = gold["text"][gold["text"].rfind(". ", 0, a) + 1 : gold["text"].find(". ", b) + 1 or None]
        keys = [key.strip("?,:") for key in sample["question"].split() if re.search(r"[\d_]", key)]
        name = keys[0] if keys else max((n for n in NAMES if n in sample["question"]), key=len)
        assert name in sentence and gold["text"][a:b] in sentence
    keyed = [s for s in spans if re.search(r"[\d_]", s["question"])]
    assert 40 < len(keyed) < 130 and any("water" not in g["text"] and "told" not in g["text"] for s in keyed for g in s["golds"])
    absent = [s for s in samples if s["kind"] == "null"]
    assert 15 < len(absent) < 60 and all(s["negatives"] and not s["golds"] for s in absent)
