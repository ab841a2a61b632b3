"""Stage 4: fit the hop loop's weights for a trained model, on validation questions asked of an open memory.

    python -m training.calibrate MODEL_FOLDER QA_FOLDER [--questions N] [--passages N] [--work DIR]

A logistic regression says which routed document is wanted (head, routing, exact words); a ranking over readings,
scaled to log-odds, which of them is right (reading, choice, agreement, hop, enough). The weight of exact words in routing is picked from a grid by recall.
Writes MODEL_FOLDER/policy.json and prints what it measured.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.scoring import f1
from benchmarks.sets import Question, load, write_records
from engine import Memory
from engine.interleave import Interleaver, Outcome, Policy, weighed

SETS = ("squad", "hotpotqa", "hotpotqa_evidence", "nq_gold", "hybridqa_ott", "tatqa_text", "boolq", "fairytaleqa")
GRID = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6)


def fit(rows: list[dict[str, float]], labels: list[float], ridge: float = 1e-3) -> dict[str, float]:
    """Logistic regression on standardised features, returned in the features' own units."""
    names = list(rows[0])
    x = torch.tensor([[row[n] for n in names] for row in rows])
    y = torch.tensor(labels)
    mean, spread = x.mean(0), x.std(0).clamp_min(1e-6)
    w = torch.zeros(len(names) + 1, requires_grad=True)

    def loss() -> torch.Tensor:
        logits = (x - mean) / spread @ w[:-1] + w[-1]
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, y) + ridge * w[:-1].square().sum()

    _minimise(loss, [w])
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


Rows = list[tuple[dict[str, float], float]]


def answer_rows(outcomes: list[tuple[Question, Interleaver, Outcome]]) -> list[Rows]:
    """Per question its best readings: (features, F1 with the truth)."""
    return [[(f.features, f1(f.text, question.answers)) for f in outcome.found[:16]] for question, _, outcome in outcomes]


def fit_answers(questions: list[Rows], ridge: float = 1e-2) -> dict[str, float]:
    """Weights that rank right readings first (softmax over a question's readings), then scaled so that the best
    reading's score is the log-odds that it is right (Platt 1999)."""
    asked = [q for q in questions if q]
    names = list(asked[0][0][0])
    every = torch.tensor([[row[n] for n in names] for q in asked for row, _ in q])
    spread = every.std(0).clamp_min(1e-6)
    inputs = [torch.tensor([[row[n] for n in names] for row, _ in q]) / spread for q in asked]
    right = [torch.tensor([score >= 0.6 for _, score in q]) for q in asked]
    w = torch.zeros(len(names), requires_grad=True)

    def ranking_loss() -> torch.Tensor:
        parts = [
            (x @ w).logsumexp(0) - (x @ w)[y].logsumexp(0) for x, y in zip(inputs, right, strict=True) if y.any()
        ]
        return torch.stack(parts).mean() + ridge * w.square().sum()

    _minimise(ranking_loss, [w])
    best = [(x @ w.detach()).argmax() for x in inputs]
    scores = torch.stack([(x @ w.detach())[i] for x, i in zip(inputs, best, strict=True)])
    labels = torch.stack([y[i] for y, i in zip(right, best, strict=True)]).float()
    ab = torch.tensor([1.0, 0.0], requires_grad=True)
    _minimise(
        lambda: torch.nn.functional.binary_cross_entropy_with_logits(ab[0] * scores + ab[1], labels), [ab]
    )
    scale, bias = ab.detach().tolist()
    weights = {n: round(float(v) * scale, 4) for n, v in zip(names, (w.detach() / spread).tolist(), strict=True)}
    return {**weights, "bias": round(bias, 4)}


def _minimise(loss: Callable[[], torch.Tensor], parameters: list[torch.Tensor]) -> None:
    optimizer = torch.optim.LBFGS(parameters, max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


def report(questions: list[Question], rows: list[Rows], answer: dict[str, float], hops: int) -> dict[str, Any]:
    """Mean F1 a set when the loop may take `hops` rounds and stops once the best reading is more likely right than
    not; and how right answers are at each confidence."""
    scores: dict[str, list[float]] = defaultdict(list)
    kept = {0.2: [], 0.35: [], 0.5: []}
    for question, of_question in zip(questions, rows, strict=True):
        judged = [(weighed(answer, row), score, row["hop"]) for row, score in of_question]
        first = [j for j in judged if j[2] == 0]
        seen = first if hops == 1 or (first and max(first)[0] > 0) else judged
        logit, score, _ = max(seen, default=(-9.0, 0.0, 0))
        scores[question.set].append(score)
        for least, values in kept.items():
            if 1 / (1 + math.exp(-logit)) >= least:
                values.append(score)
    means = {name: round(100 * sum(v) / len(v), 1) for name, v in scores.items()}
    sure = {str(k): [len(v), round(100 * sum(v) / max(1, len(v)), 1)] for k, v in kept.items()}
    return {"f1": means, "mean": round(sum(means.values()) / len(means), 1), "answered_and_f1_from_confidence": sure}


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
                lexical_weight=weight, stop=1.0, choice={"head": 1.0, "routing": 0.0, "lexical": 0.0, "bias": 0.0}
            )
            choice = fit(*choice_rows(bench, bench.outcomes(plain, 1)))
            print(json.dumps({"choice": choice}), flush=True)
            policy = replace(plain, choice=choice)
            rows = answer_rows(bench.outcomes(policy, 2))
    answer = fit_answers(rows)
    print(json.dumps({"answer": answer}), flush=True)
    results = {hops: report(questions, rows, answer, hops) for hops in (1, 2)}
    for hops, result in results.items():
        print(json.dumps({"hops": hops, **result}), flush=True)
    shipped = {"lexical_weight": weight, "choice": choice, "answer": answer}
    (args.model / "policy.json").write_text(json.dumps(shipped, indent=2) + "\n")


if __name__ == "__main__":
    main()
