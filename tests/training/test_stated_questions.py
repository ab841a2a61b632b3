"""Stated sentences turned round, and answers marked by a model: the span says what the question asks for."""

import json
import lzma
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import save_model  # noqa: E402

from training.sentence_questions import sentence_samples  # noqa: E402
from training.stated_questions import stated_samples  # noqa: E402

STATED = {
    "The ferry can carry up to 120 passengers on a calm day.": ("passengers", "120"),
    "The insoluble part is known as fibre, and much of it is cellulose.": ("insoluble part", "fibre"),
    "The retry limit defaults to 5, which is enough for most.": ("retry limit", "5"),
    "The mill was built near the river in 1874 for the town.": ("mill", "1874"),
    "The lamp was invented by Ada Quist after the war.": ("lamp", "Ada Quist"),
    "The archive is located in Porto Alegre, beside the station.": ("archive", "Porto Alegre"),
}


@pytest.mark.parametrize("sentence", STATED)
def test_a_sentence_is_turned_round(sentence):
    about, answer = STATED[sentence]
    record = {"title": "Page", "text": f"Something came first here, as always.\n{sentence}\nAnd more came after it."}
    [sample] = stated_samples([record], 5, random.Random(3))
    [gold] = sample["golds"]
    [[a, b]] = gold["spans"]
    assert gold["text"][a:b] == answer and about in sample["question"] and answer not in sample["question"]


@pytest.mark.parametrize("sentence", ["If it rains you can carry up to 3 bags.", "They have 4 dogs.", "Nothing is stated here at all, is it."])
def test_what_states_nothing_clear_is_left_alone(sentence):
    assert stated_samples([{"title": "x" * 60, "text": sentence + " And so on it goes."}], 5, random.Random(1)) == []


def test_a_model_marks_the_answer_inside_its_sentence(tmp_path):
    pairs = [("where is the key", "The key hangs in Lisbon."), ("what needs shade", "The fern needs shade and water.")]
    with lzma.open(tmp_path / "reqa_squad.contexts.jsonl.xz", "wt") as out:
        out.writelines(json.dumps({"id": str(i), "title": "", "text": text}) + "\n" for i, (_, text) in enumerate(pairs))
    with lzma.open(tmp_path / "reqa_squad.train.questions.jsonl.xz", "wt") as out:
        for i, (question, _) in enumerate(pairs):
            out.write(json.dumps({"question": question, "contexts": [{"id": str(i), "gold": True}]}) + "\n")
    model = save_model(tmp_path / "model", reader_layers=2)
    samples = list(sentence_samples(model, tmp_path, 0.0, random.Random(1)))
    assert [s["question"] for s in samples] == [question for question, _ in pairs]
    for sample, (_, sentence) in zip(samples, pairs, strict=True):
        [gold] = sample["golds"]
        [[a, b]] = gold["spans"]
        assert a < b and gold["text"].index(sentence) <= a and b <= gold["text"].index(sentence) + len(sentence)
    assert list(sentence_samples(model, tmp_path, 1.1, random.Random(1))) == []
