"""Stage 4: fit the hop loop's weights for a trained model, on validation questions asked of an open memory.

    python -m training.calibrate MODEL_FOLDER QA_FOLDER [--questions N] [--passages N] [--work DIR]

Two logistic regressions: which routed document is wanted (head, routing, exact words), and which reading is right
(reading, choice, agreement, hop, enough). The weight of exact words in routing is picked from a grid by recall.
Writes MODEL_FOLDER/policy.json and prints what it measured.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.scoring import f1
from benchmarks.sets import Question, load, write_records
from engine import Memory
from engine.interleave import Interleaver, Outcome, Policy

SETS = ("squad", "hotpotqa", "hotpotqa_evidence", "nq_gold", "hybridqa_ott", "tatqa_text", "boolq", "fairytaleqa")
GRID = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6)


def fit(rows: list[dict[str, float]], labels: list[float], ridge: float = 1e-3) -> dict[str, float]:
    """Logistic regression on standardised features, returned in the features' own units."""
    names = list(rows[0])
    x = torch.tensor([[row[n] for n in names] for row in rows])
    y = torch.tensor(labels)
    mean, spread = x.mean(0), x.std(0).clamp_min(1e-6)
    w = torch.zeros(len(names) + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], max_iter=200)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = (x - mean) / spread @ w[:-1] + w[-1]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, y) + ridge * w[:-1].square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    scaled = w[:-1].detach() / spread
    weights = {n: round(float(v), 4) for n, v in zip(names, scaled, strict=True)}
    return {**weights, "bias": round(float(w[-1].detach() - (scaled * mean).sum()), 4)}


class Bench:
    """A memory over the validation passages and the questions asked of it."""

    def __init__(self, memory: Memory, questions: list[Question]):
        self.memory, self.questions = memory, questions
        self.asker = memory._asking()
        self.router = self.asker._loop(None).router
        self.store = self.asker.store

    def loop(self, policy: Policy) -> Interleaver:
        return Interleaver(self.asker.model, self.store, self.router, policy)

    def gold(self, loop: Interleaver, document: int, question: Question) -> bool:
        return loop.row(document).record in question.golds

    def routing_recall(self, weight: float) -> dict[str, float]:
        """Share of gold passages among the best 6 and 16 in one round."""
        loop = self.loop(replace(Policy(), lexical_weight=weight))
        hits = {6: 0, 16: 0}
        total = 0
        for question in self.questions:
            if question.golds:
                routed = loop.recall(question.question, 16, 1)
                found = [loop.row(r.document).record for r in routed]
                total += len(question.golds)
                for k in hits:
                    hits[k] += len(set(question.golds) & set(found[:k]))
        return {f"R@{k}": round(100 * n / total, 1) for k, n in hits.items()}

    def outcomes(self, policy: Policy, hops: int) -> list[tuple[Question, Interleaver, Outcome]]:
        rows = []
        for question in self.questions:
            loop = self.loop(policy)
            rows.append((question, loop, loop.ask(question.question, hops)))
        return rows


def choice_rows(bench: Bench, outcomes: list[tuple[Question, Interleaver, Outcome]]) -> tuple[list, list]:
    """First-round candidates: the policy that produced them weighs only the head, so its logit is the head's."""
    rows, labels = [], []
    for question, loop, outcome in outcomes:
        if question.golds and outcome.rounds:
            for routed, head in outcome.rounds[0].routed[0]:
                rows.append({"head": head, "routing": routed.routing, "lexical": routed.lexical})
                labels.append(float(bench.gold(loop, routed.document, question)))
    return rows, labels


def answer_rows(outcomes: list[tuple[Question, Interleaver, Outcome]]) -> tuple[list, list]:
    rows, labels = [], []
    for question, _, outcome in outcomes:
        for found in outcome.found[:12]:
            rows.append(found.features)
            labels.append(float(f1(found.text, question.answers) >= 0.6))
    return rows, labels


def report(outcomes: list[tuple[Question, Interleaver, Outcome]]) -> dict[str, Any]:
    """F1 over answerable questions per set, and how well *not found* is told apart on unanswerable ones."""
    scores: dict[str, list[float]] = defaultdict(list)
    right_refusals = refusals = unanswerable = 0
    for question, _, outcome in outcomes:
        found = bool(outcome.found) and outcome.confidence >= 0.5
        refusals += not found
        if question.answers:
            scores[question.set].append(f1(outcome.found[0].text, question.answers) if found else 0.0)
            scores[question.set + " (forced)"].append(
                f1(outcome.found[0].text, question.answers) if outcome.found else 0.0
            )
        else:
            unanswerable += 1
            right_refusals += not found
    means = {name: round(100 * sum(v) / len(v), 1) for name, v in scores.items()}
    return {"f1": means, "unanswerable": unanswerable, "refused": refusals, "rightly": right_refusals}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("qa", type=Path)
    parser.add_argument("--questions", type=int, default=60, help="a set")
    parser.add_argument("--passages", type=int, default=300, help="a set")
    args = parser.parse_args()
    (args.model / "policy.json").unlink(missing_ok=True)
    questions: list[Question] = []
    passages: dict[str, dict] = {}
    for name in SETS:
        asked, texts = load(args.qa, name, args.questions, args.passages)
        questions += asked
        passages.update({p["id"]: p for p in texts})
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / "passages.jsonl"
        write_records(list(passages.values()), records)
        with Memory.open(Path(folder) / "memory", model=args.model, create=True) as memory:
            ingested = memory.ingest([records])
            print(f"{len(questions)} questions, {ingested.documents} documents, {ingested.tokens} tokens", flush=True)
            bench = Bench(memory, questions)
            recalls = {weight: bench.routing_recall(weight) for weight in GRID}
            print(json.dumps({"routing": recalls}), flush=True)
            weight = max(GRID, key=lambda w: (recalls[w]["R@6"] + recalls[w]["R@16"], -w))
            plain = Policy(
                lexical_weight=weight, enough=2.0, choice={"head": 1.0, "routing": 0.0, "lexical": 0.0, "bias": 0.0}
            )
            choice = fit(*choice_rows(bench, bench.outcomes(plain, 1)))
            print(json.dumps({"choice": choice}), flush=True)
            policy = replace(plain, choice=choice)
            both = bench.outcomes(policy, 2)
            answer = fit(*answer_rows(both))
            print(json.dumps({"answer": answer}), flush=True)
            results = {}
            for enough in (0.0, 0.3, 0.5, 0.7, 2.0):
                tried = replace(policy, answer=answer, enough=enough)
                results[enough] = report(bench.outcomes(tried, 3 if enough < 2 else 2))
                print(json.dumps({"enough": enough, **results[enough]}), flush=True)
    best = max(results, key=lambda e: sum(v for n, v in results[e]["f1"].items() if "forced" not in n))
    shipped = {"lexical_weight": weight, "choice": choice, "answer": answer, "enough": best}
    (args.model / "policy.json").write_text(json.dumps(shipped, indent=2) + "\n")


if __name__ == "__main__":
    main()
