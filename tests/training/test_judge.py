"""The judge: questions made of sentences, learning beside the reader, and its word in the model's seat."""

import random
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import save_model  # noqa: E402

from engine.model.heads import JUDGEMENTS  # noqa: E402
from engine.model.interface import Context, Evidence  # noqa: E402
from engine.model.loading import load_memory_model  # noqa: E402
from training import judged_questions  # noqa: E402
from training.judge import measured  # noqa: E402
from training.train import load  # noqa: E402

GIVEN = [("The fern needs shade.", "yes"), ("The orchid blooms in May.", "no"), ("High water at noon.", "unsaid")]


def sample(text: str, kind: str) -> dict:
    return {"set": "t", "question": "is it so", "kind": kind, "golds": [{"title": "t", "text": text}], "negatives": []}


@pytest.mark.parametrize(
    ("sentence", "asked", "yes"),
    [
        ("Visitors may not feed the goats in winter.", "May Visitors feed the goats in winter?", False),
        ("The pump is switched off every night.", "Is the pump switched off every night?", True),
        ("Apprentices cannot work with the lathe, which is dangerous.", "Can Apprentices work with the lathe?", False),
        ("The parser does not support nested lists.", "Does the parser support nested lists?", False),
        ("A full licence covers two adults and a child.", "Does a full licence cover two adults and a child?", True),
    ],
)
def test_a_sentence_is_turned_into_a_question(sentence, asked, yes):
    assert judged_questions._turned(sentence, random.Random(1)) == (asked, yes)


def test_what_you_must_not_is_asked_for_as_allowed():
    question, yes = judged_questions._turned("You must not leave your bag at the door.", random.Random(1))
    assert question.split(" leave ")[0] in ("May I", "Can I", "Am I allowed to") and question.endswith(" leave my bag at the door?") and not yes


@pytest.mark.parametrize("sentence", ["It is switched off every night.", "Rain.", "The rest is said in the following chapter."])
def test_what_points_elsewhere_is_not_asked(sentence):
    assert judged_questions._turned(sentence, random.Random(1)) is None


@pytest.mark.parametrize(
    ("said", "turned"),
    [
        ("Visitors may feed the goats in winter.", "Visitors may not feed the goats in winter."),
        ("Visitors may not feed the goats in winter.", "Visitors may feed the goats in winter."),
        ("The parser supports nested lists only.", "The parser does not support nested lists only."),
    ],
)
def test_a_denial_comes_and_goes(said, turned):
    assert judged_questions._denied(said) == turned


def test_samples_say_yes_no_and_nothing():
    sentences = [f"The {a} pump number {n} may not be opened by visitors." for n, a in enumerate(("red", "blue", "old", "new"))]
    sentences += [f"The {a} tank holds oil and is emptied in {n} days." for n, a in enumerate(("tall", "small", "wide", "round"), 2)]
    records = [{"title": "Works", "text": " ".join(random.Random(n).sample(sentences, 8))} for n in range(12)]
    made = judged_questions.judged_samples(records, 60, random.Random(3))
    assert {s["kind"] for s in made} == set(JUDGEMENTS) and len(made) > 40
    unchanged = [s for s in made if s["kind"] == "yes" and "may not" not in s["question"]]
    assert unchanged and all(s["question"].endswith("?") for s in made)


@pytest.fixture
def judging(tmp_path: Path) -> Path:
    return save_model(tmp_path / "tiny", reader_layers=2, policy={}, judge=True)


def test_how_often_yes_ranks_above_no_is_measured(judging):
    model, inputs = load(judging)
    asked = {"t": [(sample(*g)["question"], [("t", g[0])], JUDGEMENTS.index(g[1])) for g in GIVEN]}
    told = measured(model.eval(), inputs, asked)["t"]
    assert told[0] == 3 and told[1] in (0.0, 100.0) and told[2] in (0.0, 50.0, 100.0)


def test_in_the_models_seat_it_says_which_of_yes_and_no(judging, tmp_path):
    plain = load_memory_model(save_model(tmp_path / "plain", reader_layers=2, policy={}), "cpu")
    told = load_memory_model(judging, "cpu")
    contexts = [Context("is it so", (Evidence(1, "t", text),)) for text, _ in GIVEN[:2]]
    for model in (plain, told):
        for c in contexts:
            c.state = None
        model._encode(contexts)
        for best in (0, 1, 2):
            kinds = torch.full((2, 3), -4.0)
            kinds[:, best] = -0.1
            said, doubts = model._judged(contexts, kinds.clone())
            if model is plain:
                assert torch.equal(said, kinds) and doubts == (-kinds[:, 1:].log_softmax(-1).amax(-1)).tolist()
            else:
                logits = model.model.judge(torch.stack([c.state[1][0] for c in contexts]))
                assert said[:, 1:].argmax(-1).tolist() == logits[:, 1:].argmax(-1).tolist()
                assert said.amax(-1).tolist() == kinds.amax(-1).tolist() and torch.equal(said[:, 0], kinds[:, 0])
                assert doubts == pytest.approx((-logits.log_softmax(-1)[:, 1:].amax(-1)).tolist(), abs=1e-5)
    given = [Context("so it is", c.evidence) for c in contexts]
    told._encode(given)
    kinds = torch.tensor([[-0.1, -4.0, -4.0]] * 2)
    assert torch.equal(told._judged(given, kinds.clone())[0], kinds)
