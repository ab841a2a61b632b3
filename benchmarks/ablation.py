"""What each part of answering earns: the questions of `answers.py`, asked again with one part left out.

    python -m benchmarks.ablation QA_FOLDER [--model DIR] [--sets A,B] [--questions N] [--passages N]

Prints F1 of the best answer, whether or not it was sure enough to be given, over all questions and over those that
need two documents, and the difference to the whole with its 95% interval (paired bootstrap). Weights are not fitted
anew for what is left. Without the documents' text a pointing model has nothing to point at, so that part has no row.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

if not __package__:  # run as a script: what is imported below is found from the repository's root
    sys.path[0] = str(Path(__file__).parents[1])

from rich.console import Console
from rich.table import Table

from benchmarks.answers import SETS, ask
from benchmarks.scoring import bootstrap
from benchmarks.sets import load_pool, passages_in_memory
from engine.model.interface import Answered, Candidates, Context
from engine.policy import Policy

TWO_DOCUMENTS = {"hotpotqa", "hotpotqa_evidence", "hybridqa_ott", "strategyqa"}


class Unaided:
    """A model that reads without the pooled K/V of the routed documents."""

    def __init__(self, model: Any):
        self.model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def answer(self, contexts: list[Context], candidates: list[Candidates]) -> list[Answered]:
        return self.model.answer(contexts, [Candidates([], [], []) for _ in candidates])


def without(weights: Mapping[str, float], name: str) -> dict[str, float]:
    return {**weights, name: 0.0}


def variants(policy: Policy) -> dict[str, Policy]:
    return {
        "one hop": replace(policy, max_hops=1),
        "no exact words": replace(
            policy, lexical_weight=0.0, candidate_weight=0.0, lexical_k=0, choice=without(policy.choice, "lexical")
        ),
        "one hypothesis": replace(policy, hypotheses=1),
        "no chains of names": replace(
            policy, max_hops=2, answer=without(policy.answer, "chain"), later_choice=without(policy.later_choice or policy.choice, "linked")
        ),
        "nothing taken apart": replace(policy, apart=0.0),
        "no document head": replace(policy, choice=without(policy.choice, "head")),
        "no agreement of readings": replace(policy, answer=without(policy.answer, "agree")),
        "no words of the question": replace(policy, answer=without(policy.answer, "words")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("qa", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--questions", type=int, default=25, help="a set")
    parser.add_argument("--passages", type=int, default=300, help="a set")
    args = parser.parse_args()
    pool, passages = load_pool(args.qa, args.sets.split(","), args.questions, args.passages)
    questions = [q for q in pool if q.answers]
    with passages_in_memory(passages, args.model) as memory:
        asker = memory._asking()
        model, shipped = asker.model, replace(asker.policy, found=0.0)

        def run() -> list[float]:
            return [ask(memory, q, passages, 0.0).f1 for q in questions]

        asker.policy = shipped
        scores = {"all parts": run()}
        for name, policy in variants(shipped).items():
            asker.policy = policy
            scores[name] = run()
        asker.policy, asker.model = shipped, Unaided(model)
        scores["no pooled memory while reading"] = run()
    report(scores, [q.set in TWO_DOCUMENTS for q in questions], len(passages))


def report(scores: dict[str, list[float]], two: list[bool], passages: int) -> None:
    whole = scores["all parts"]
    table = Table("left out", "F1", "difference (95%)", "F1, two documents", title=f"{len(two)} questions, {passages} passages")
    rows = {}
    for name, row in scores.items():
        gap = [round(x, 1) for x in bootstrap(row, whole)]
        pair = [f for f, t in zip(row, two, strict=True) if t]
        rows[name] = {
            "f1": round(100 * sum(row) / len(row), 1),
            "difference": gap,
            "f1_two_documents": round(100 * sum(pair) / max(1, len(pair)), 1),
        }
        table.add_row(name, str(rows[name]["f1"]), f"{gap[0]} ({gap[1]} to {gap[2]})", str(rows[name]["f1_two_documents"]))
    Console(width=120).print(table)
    print(json.dumps({"benchmark": "ablation", "questions": len(two), "passages": passages, "variants": rows}))


if __name__ == "__main__":
    main()
