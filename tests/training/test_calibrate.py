"""How sure an answer is, is also learned from questions whose passages are kept out of sight."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import save_model  # noqa: E402

from benchmarks.sets import Question, passages_in_memory  # noqa: E402
from engine.model.interface import Context  # noqa: E402
from engine.policy import Policy, weighed  # noqa: E402
from training import calibrate  # noqa: E402
from training.calibrate import Bench, Judged, fit_answers, judged, of_documents  # noqa: E402

TEXTS = {"key": "The key hangs at number 14.", "mina": "Mina has the key.", "fern": "The fern needs shade."}
NAMES = ("reading", "choice", "hop", "agree", "words", "names", "fits", "stated", "chain", "relevance")


def test_gold_passages_are_out_of_sight(tmp_path: Path):
    passages = {i: {"id": i, "title": i, "text": text} for i, text in TEXTS.items()}
    questions = [
        Question("t", "1", "what number has the key", ["14"], ["key"], "extractive"),
        Question("t", "2", "who has it", ["Mina"], ["mina"], "extractive"),
        Question("t", "3", "does the fern need shade", ["yes"], ["fern"], "yesno"),
    ]
    with passages_in_memory(passages, save_model(tmp_path / "model")) as memory:
        bench = Bench(memory, questions)
        [(question, loop, outcome)] = bench.absent(Policy(), 2)
        seen = {loop.row(r.document).record for this in outcome.rounds for row in this.routed for r, _ in row}
        everything = {loop.row(r.document).record for r in bench.loop(Policy()).route(Context(question.question), 9, ())}
    assert question.id == "1" and seen == {"mina", "fern"} and everything == set(TEXTS)
    assert judged([(question, loop, outcome)])[0]


def test_what_is_not_there_lowers_confidence():
    def readings(number: int, right: bool) -> list[Judged]:
        """The best reading, and another that lies one, two or three behind."""
        best, other = (dict.fromkeys(NAMES, 0.0) | {"reading": number / 2 - behind} for behind in (0, 1 + number % 3))
        return [Judged(best, "a", "a", float(right)), Judged(other, "b", "b", 0.0)]

    questions = [Question("t", str(n), "q", ["a"], ["g"], "extractive") for n in range(20)]
    there = [readings(n, n > 4) for n in range(20)]
    middling = {"score": 4.0, "share": -0.2, "relevance": 0.0, "doubt": 0.0}
    without, beside = (fit_answers(questions, there, absent)["sure"] for absent in ([], [readings(n, False) for n in range(10)]))
    assert weighed(beside, middling) < weighed(without, middling) - 0.5


def test_readings_of_documents_are_right_in_a_gold_source_alone(tmp_path: Path, monkeypatch):
    folder = tmp_path / "documents" / "keys"
    folder.mkdir(parents=True)
    for name in ("gold", "other"):
        (folder / f"{name}.txt").write_text("The key hangs at number 14.")
    question = {"id": "1", "question": "At what number does the key hang?", "answers": ["14"], "sources": [{"source": "gold.txt", "record": None}]}
    (tmp_path / "keys.jsonl").write_text(json.dumps({**question, "answerable": True}) + "\n")
    monkeypatch.setattr(calibrate, "QUESTIONS", tmp_path)
    [readings] = of_documents(tmp_path / "documents", save_model(tmp_path / "model"), Policy(), 1)
    assert readings and all("stated" in j.features for j in readings)
    everything = [j for j in readings if "14" in j.text.split()]
    assert all(j.f1 == 1.0 for j in everything if len(j.text.split()) < 6)


def test_weights_are_fitted_on_other_questions_too():
    def one(right: bool, stated: float) -> Judged:
        return Judged(dict.fromkeys(NAMES, 0.0) | {"stated": stated}, "a" if right else "b", "a" if right else "b", float(right))

    questions = [Question("t", str(n), "q", ["a"], ["g"], "extractive") for n in range(6)]
    plain = [[one(True, 0.0), one(False, 0.0)] for _ in questions]
    beside = [[one(True, 1.0), one(False, 0.0)] for _ in range(6)]
    assert fit_answers(questions, plain, [], beside)["answer"]["stated"] > fit_answers(questions, plain, [])["answer"]["stated"] + 0.5
