"""Stage 4: fit the hop loop's weights for a trained model, on validation questions asked of an open memory.

    python -m training.calibrate MODEL_FOLDER QA_FOLDER [--questions N] [--passages N] [--documents FOLDER]

A logistic regression says which routed document is wanted (head, routing, exact words), one which of those read is (choice,
relevance), a ranking which reading is right, and another regression how sure that is (Platt 1999), also where the gold
passages are kept out of sight; the last two also on questions about documentation, code and books
(training/questions, of documents put into FOLDER by training.documents). The weights of exact words in routing are picked from a
grid by recall: at 6 where routing ranks, at 16 where it proposes. Writes MODEL_FOLDER/policy.json and prints what it measured.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.samples import accepted
from benchmarks.scoring import f1
from benchmarks.sets import Question, load_pool, read_lines, write_records
from engine import Memory
from engine.found import sureness
from engine.interleave import Interleaver, Outcome
from engine.model.interface import Context
from engine.policy import Policy, weighed

if TYPE_CHECKING:
    from engine.model.interface import MemoryModel
    from engine.routing import Router
    from engine.store import Store

SETS = ("squad", "hotpotqa", "hotpotqa_evidence", "nq_gold", "hybridqa_ott", "tatqa_text", "boolq", "fairytaleqa")
RANKED_BY = ("reading", "relevance", "hop", "agree", "words", "names", "fits", "stated", "chain")
QUESTIONS, CORPORA = (Path(__file__).parent / name for name in ("questions", "corpora"))
RIGHT = 0.6
"""F1 from which a reading counts as right."""
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


class Without(Interleaver):
    """A loop over a memory as if it did not hold the documents `gone`."""

    def __init__(self, model: MemoryModel, store: Store, router: Router, policy: Policy, gone: set[int]):
        super().__init__(model, store, router, policy)
        self.gone = gone

    def _route(self, contexts, k, exclude, lexical_weight):
        return super()._route(contexts, k, [held | self.gone for held in exclude], lexical_weight)


class Bench:
    """A memory over the validation passages and the questions asked of it."""

    def __init__(self, memory: Memory, questions: list[Question]):
        self.memory, self.questions = memory, questions
        self.asker = memory._asking()
        self.router = self.asker._loop(None).router
        self.store = self.asker.store
        self.of_record: dict[str | None, list[int]] = defaultdict(list)
        for row in self.store.documents(self.store.all_document_ids()):
            self.of_record[row.record].append(row.id)

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
                routed = loop.route(Context(question.question), 16, ())
                found = [loop.row(r.document).record for r in routed]
                total += len(question.golds)
                for k in hits:
                    hits[k] += len(set(question.golds) & set(found[:k]))
        return {f"R@{k}": round(100 * n / total, 1) for k, n in hits.items()}

    def absent(self, policy: Policy, hops: int) -> list[tuple[Question, Interleaver, Outcome]]:
        """Every second question, asked as if its gold passages were not in the memory; not yes or no, which chance gets right."""
        rows = []
        for question in [q for q in self.questions if q.golds and q.kind != "yesno"][::2]:
            gone = {d for record in question.golds for d in self.of_record[record]}
            loop = Without(self.asker.model, self.store, self.router, policy, gone)
            rows.append((question, loop, loop.ask(question.question, hops)))
        return rows

    def outcomes(self, policy: Policy, hops: int) -> list[tuple[Question, Interleaver, Outcome]]:
        rows = []
        for question in self.questions:
            loop = self.loop(policy)
            rows.append((question, loop, loop.ask(question.question, hops)))
        return rows


def choice_rows(
    bench: Bench, outcomes: list[tuple[Question, Interleaver, Outcome]], number: int, weights: dict[str, float]
) -> tuple[list, list]:
    """Candidates of round `number` (0 is the first), chosen by `weights`: what spoke for each, and whether it is gold.

    A round after all gold passages are read wants nothing and is left out.
    """
    rows, labels = [], []
    for question, loop, outcome in outcomes:
        for candidates in outcome.rounds[number].routed if question.golds and len(outcome.rounds) > number else []:
            golds = [float(bench.gold(loop, routed.document, question)) for routed, _ in candidates]
            if number and not any(golds):
                continue
            for (routed, logit), gold in zip(candidates, golds, strict=True):
                known = {"head": 0.0, "routing": routed.routing, "lexical": routed.lexical}
                if number:
                    known["linked"] = routed.linked
                rows.append({**known, "head": (logit - weighed(weights, known)) / weights["head"]})
                labels.append(gold)
    return rows, labels


def keep_rows(bench: Bench, outcomes: list[tuple[Question, Interleaver, Outcome]]) -> tuple[list, list]:
    """Documents read in the first round: what speaks for each once it is read, and whether it is gold."""
    rows, labels = [], []
    for question, loop, outcome in outcomes:
        first = {f.evidence.document: f for f in outcome.found if f.features["hop"] == 0}
        for document, f in first.items() if question.golds else ():
            rows.append({name: f.features[name] for name in ("choice", "relevance")})
            labels.append(float(bench.gold(loop, document, question)))
    return rows, labels


@dataclass
class Judged:
    """A reading as it stands for fitting: what speaks for it, what it says, its F1 with the truth."""

    features: dict[str, float]
    text: str
    same: str
    f1: float
    score: float = 0.0


def judged(outcomes: list[tuple[Question, Interleaver, Outcome]]) -> list[list[Judged]]:
    """Per question all its readings."""
    return [[Judged(f.features, f.text, f.same, f1(f.text, q.answers)) for f in outcome.found] for q, _, outcome in outcomes]


def of_documents(folder: Path, model: Path, policy: Policy, hops: int) -> list[list[Judged]]:
    """Per question of training/questions/NAME.jsonl its readings in a memory of training/corpora/NAME or FOLDER/NAME; right is what benchmarks.samples
    takes, in a gold source. The same words from another source are left out."""
    rows = []
    for file in sorted(QUESTIONS.glob("*.jsonl")):
        with tempfile.TemporaryDirectory() as store, Memory.open(Path(store) / "memory", model=model, create=True) as memory:
            own = CORPORA / file.stem
            memory.ingest([own if own.exists() else folder / file.stem])
            bench = Bench(memory, [])
            for question in read_lines(file):
                loop = bench.loop(policy)
                golds = {(s["source"], s["record"]) for s in question["sources"]}
                known = []
                for f in loop.ask(question["question"], hops).found:
                    row, right = loop.row(f.evidence.document), accepted(f.same, question)
                    if (row.source, row.record) in golds or not right:
                        known.append(Judged(f.features, f.text, f.same, float(right)))
                rows.append(known)
        print(f"{file.stem}: {sum(any(j.f1 for j in q) for q in rows)} of {len(rows)} so far have a right reading", flush=True)
    return rows


def fit_ranking(
    questions: list[tuple[list[dict[str, float]], list[bool]]], names: Sequence[str], ridge: float = 1e-2, each: bool = False
) -> dict[str, float]:
    """Weights of `names` that rank right things first: softmax over a question's, likelihood of the right ones.

    `questions` are features and whether it is right of each thing to be ranked. One right thing on top is enough;
    with `each`, every one is wanted and competes with the wrong ones alone (as in losses.decoupled_contrastive).
    """
    every = torch.tensor([[f[n] for n in names] for features, _ in questions for f in features])
    spread = every.std(0).clamp_min(1e-6)
    rows = [
        (torch.tensor([[f[n] for n in names] for f in features]) / spread, torch.tensor(right))
        for features, right in questions
        if any(right)
    ]
    w = torch.zeros(len(names), requires_grad=True)

    def loss() -> torch.Tensor:
        parts = [_each_first(x @ w, y) if each else (x @ w).logsumexp(0) - (x @ w)[y].logsumexp(0) for x, y in rows]
        return torch.stack(parts).mean() + ridge * w.square().sum()

    _minimise(loss, [w])
    return {n: round(float(v), 4) for n, v in zip(names, w.detach() / spread, strict=True)}


def _each_first(scores: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Mean over right things of -log of its share beside the wrong ones."""
    wrong = scores[~right].logsumexp(0) if (~right).any() else scores.new_tensor(-math.inf)
    return torch.nn.functional.softplus(wrong - scores[right]).mean()


def ranked(questions: list[list[Judged]], answer: dict[str, float]) -> list[list[Judged]]:
    for readings in questions:
        for j in readings:
            j.score = weighed(answer, j.features)
        readings.sort(key=lambda j: -j.score)
    return [q for q in questions if q]


def report(questions: list[Question], readings: list[list[Judged]], policy: Policy, hops: int) -> dict[str, Any]:
    """Mean F1 a set when the loop may take `hops` rounds and stops once it is sure; how many answers are given, and
    how right they are, from each confidence."""
    scores: dict[str, list[float]] = defaultdict(list)
    kept: dict[float, list[float]] = {0.3: [], 0.4: [], 0.5: [], 0.6: []}

    def confidence(seen: list[Judged]) -> float:
        return 1 / (1 + math.exp(-weighed(policy.sure, sureness(seen)))) if seen else 0.0

    for question, of_question in zip(questions, readings, strict=True):
        first = [j for j in of_question if j.features["hop"] == 0]
        seen = first if hops == 1 or confidence(first) >= policy.stop else of_question
        scores[question.set].append(seen[0].f1 if seen else 0.0)
        for least, values in kept.items():
            if confidence(seen) >= least:
                values.append(scores[question.set][-1])
    means = {name: round(100 * sum(v) / len(v), 1) for name, v in scores.items()}
    given = {str(k): [len(v), round(100 * sum(v) / max(1, len(v)), 1)] for k, v in kept.items()}
    return {"f1": means, "mean": round(sum(means.values()) / len(means), 1), "answered_and_f1_from_confidence": given}


def _minimise(loss: Callable[[], torch.Tensor], parameters: list[torch.Tensor]) -> None:
    optimizer = torch.optim.LBFGS(parameters, max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


def fit_answers(
    questions: list[Question], readings: list[list[Judged]], absent: list[list[Judged]], beside: Sequence[list[Judged]] = ()
) -> dict[str, dict[str, float]]:
    """The policy's `answer` and `sure`; prints what they measure on the very questions they were fitted on.

    `absent` are the readings of questions whose gold passages were kept out: how sure to be has to be learned from what
    is not there too. `beside` are those of other questions, in both.
    """
    right = [([j.features for j in q], [j.f1 >= RIGHT for j in q]) for q in (*readings, *beside) if q]
    answer = {**fit_ranking(right, RANKED_BY), "bias": 0.0}
    asked = ranked(readings, answer)
    missed = ranked(absent, answer)
    both = asked + missed + ranked(list(beside), answer)
    sure = fit([sureness(q) for q in both], [float(q[0].f1 >= RIGHT) for q in both])
    print(json.dumps({"answer": answer, "sure": sure}), flush=True)
    policy = replace(Policy(), answer=answer, sure=sure)
    said = [weighed(sure, sureness(q)) < math.log(policy.found / (1 - policy.found)) for q in missed]
    print(json.dumps({"kept out": len(absent), "said so": sum(said) + len(absent) - len(missed)}), flush=True)
    for hops in (1, 2):
        print(json.dumps({"hops": hops, **report(questions, readings, policy, hops)}), flush=True)
    return {"answer": answer, "sure": sure}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("qa", type=Path)
    parser.add_argument("--questions", type=int, default=60, help="a set")
    parser.add_argument("--passages", type=int, default=300, help="a set")
    parser.add_argument("--documents", type=Path)
    args = parser.parse_args()
    (args.model / "policy.json").unlink(missing_ok=True)
    questions, passages = load_pool(args.qa, SETS, args.questions, args.passages)
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / "passages.jsonl"
        write_records(list(passages.values()), records)
        with Memory.open(Path(folder) / "memory", model=args.model, create=True) as memory:
            ingested = memory.ingest([records])
            print(f"{len(questions)} questions, {ingested.documents} documents, {ingested.tokens} tokens", flush=True)
            bench = Bench(memory, questions)
            recalls = {weight: bench.routing_recall(weight) for weight in GRID}
            print(json.dumps({"routing": recalls}), flush=True)
            words = {
                "lexical_weight": max(GRID, key=lambda w: (recalls[w]["R@6"], -w)),
                "candidate_weight": max(GRID, key=lambda w: (recalls[w]["R@16"], -w)),
            }
            plain = Policy(**words, stop=1.0, choice={"head": 1.0, "routing": 0.0, "lexical": 0.0, "bias": 0.0})
            choice = fit(*choice_rows(bench, bench.outcomes(plain, 1), 0, plain.choice))
            policy = replace(plain, choice=choice)
            later = fit(*choice_rows(bench, bench.outcomes(policy, 2), 1, choice))
            print(json.dumps({"choice": choice, "later_choice": later}), flush=True)
            keep = fit(*keep_rows(bench, bench.outcomes(policy, 1)))
            print(json.dumps({"keep": keep}), flush=True)
            policy = replace(policy, later_choice=later, keep=keep)
            readings, absent = judged(bench.outcomes(policy, 2)), judged(bench.absent(policy, 2))
    beside = of_documents(args.documents, args.model, policy, 2) if args.documents else []
    shipped = {**words, "choice": choice, "later_choice": later, "keep": keep, **fit_answers(questions, readings, absent, beside)}
    (args.model / "policy.json").write_text(json.dumps(shipped, indent=2) + "\n")


if __name__ == "__main__":
    main()
