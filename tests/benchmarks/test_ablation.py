"""Leaving one part out leaves the rest as it is, and the report counts what it says."""

import json
from dataclasses import asdict

from benchmarks.ablation import Unaided, report, variants
from engine.policy import Policy
from engine.model.interface import Candidates, Context


def test_every_variant_changes_its_own_part_only():
    shipped = Policy()
    changed = {
        name: {field for field, value in asdict(policy).items() if value != asdict(shipped)[field]}
        for name, policy in variants(Policy(answer={**shipped.answer, "words": 1.0})).items()
    }
    assert changed["one hop"] == {"max_hops", "answer"} and changed["one hypothesis"] == {"hypotheses", "answer"}
    assert changed["no exact words"] == {"lexical_weight", "candidate_weight", "lexical_k", "choice", "answer"}
    assert changed["no words of the question"] == set()


def test_unaided_reading_sees_no_memory():
    class Model:
        name = "m"

        def answer(self, contexts, candidates):
            return [len(c.documents) for c in candidates]

    unaided = Unaided(Model())
    assert unaided.name == "m"
    assert unaided.answer([Context("q")], [Candidates([1, 2], [0.5, 0.4], [])]) == [0]


def test_the_report_counts(capsys):
    report({"all parts": [1.0, 0.5, 0.0, 0.5], "one hop": [1.0, 0.0, 0.0, 0.5]}, [False, True, True, False], 9)
    last = json.loads(capsys.readouterr().out.splitlines()[-1])["variants"]
    assert last["all parts"]["f1"] == 50.0 and last["all parts"]["difference"] == [0.0, 0.0, 0.0]
    assert last["one hop"]["f1"] == 37.5 and last["one hop"]["f1_two_documents"] == 0.0
    assert last["one hop"]["difference"][0] == -12.5
