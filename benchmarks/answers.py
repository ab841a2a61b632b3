"""Open question answering: every question asked of one memory that holds all passages of all sets.

    python -m benchmarks.answers QA_FOLDER [--model DIR] [--sets A,B] [--questions N] [--passages N] [--hops N]
                                 [--left-out SHARE] [--out F]

Prints a row a set: exact match and F1 (SQuAD's normalisation; "not found" scores 0 where there is an answer), how
often a gold passage is cited, how well "not found" tells unanswerable questions apart, and seconds a question; then
the risk at several coverages. Each citation is compared with the passage as it was before it was ingested. The last
line is JSON; `--out` gets one line a question. With `--left-out 0.5` half of the gold passages are not in the memory,
while others of the same articles are: questions about them have no answer there, and saying so is right.
`benchmarks/invented` is such a QA_FOLDER of invented encyclopedia passages: wiki-a and wiki-b are asked as 2WikiMultiHopQA asks (compositions,
comparisons, comparisons over a bridge, family inferences), chain-a and chain-b as MuSiQue does (two to four hops); the -b ones are only counted.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

if not __package__:  # run as a script: what is imported below is found from the repository's root
    sys.path[0] = str(Path(__file__).parents[1])

from rich.console import Console
from rich.table import Table

from benchmarks.scoring import exact, f1
from benchmarks.sets import Question, load_pool, passages_in_memory
from engine import Memory

SETS = ("squad", "nq_gold", "hotpotqa", "hotpotqa_evidence", "hybridqa_ott", "boolq", "policyqa", "covidqa", "friendsqa")
COVERAGES = (0.25, 0.5, 0.75, 1.0)


@dataclass
class Asked:
    """One question's outcome. `f1` and `em` are the best answer's, whether or not it was sure enough to be given."""

    id: str
    set: str
    answerable: bool
    answer: str | None
    found: bool
    confidence: float
    em: float
    f1: float
    cited_gold: bool
    citations: int
    invalid: int
    seconds: float


def ask(memory: Memory, question: Question, passages: dict[str, dict[str, Any]], found: float) -> Asked:
    began = time.perf_counter()
    answer = memory.ask(question.question)
    seconds = time.perf_counter() - began
    text = answer.answer or ""
    invalid = [c for c in answer.citations if passages[c.record or ""]["text"][c.start : c.end] != c.quote]
    return Asked(
        question.id,
        question.set,
        bool(question.answers),
        answer.answer,
        answer.found and answer.confidence >= found,
        answer.confidence,
        float(exact(text, question.answers)),
        f1(text, question.answers) if question.answers else 0.0,
        any(c.record in question.golds for c in answer.citations),
        len(answer.citations),
        len(invalid),
        seconds,
    )


def leave_out(
    questions: list[Question], passages: dict[str, dict[str, Any]], share: float
) -> tuple[list[Question], dict[str, dict[str, Any]]]:
    """Without a share of the gold passages; questions that miss one have no answers any more."""
    golds = sorted({g for q in questions for g in q.golds})
    gone = set(random.Random(5).sample(golds, round(share * len(golds))))
    asked = [replace(q, answers=[]) if gone & set(q.golds) else q for q in questions]
    return asked, {i: p for i, p in passages.items() if i not in gone}


def summary(rows: list[Asked]) -> dict[str, float | int | None]:
    known, unknown = [r for r in rows if r.answerable], [r for r in rows if not r.answerable]
    refused = [r for r in rows if not r.found]
    right = sum(not r.answerable for r in refused)
    n = max(1, len(known))
    return {
        "questions": len(rows),
        "em": round(100 * sum(r.em * r.found for r in known) / n, 1),
        "f1": round(100 * sum(r.f1 * r.found for r in known) / n, 1),
        "f1_if_always_answered": round(100 * sum(r.f1 for r in known) / n, 1),
        "cited_gold": round(100 * sum(r.cited_gold for r in known) / n, 1),
        "not_found_f1": round(200 * right / (len(refused) + len(unknown)), 1) if unknown else None,
        "seconds": round(statistics.median(r.seconds for r in rows), 2),
    }


def risks(rows: list[Asked]) -> dict[float, float]:
    """100 - F1 of the most confident share of all questions: what is wrong among what is answered."""
    ranked = sorted(rows, key=lambda r: -r.confidence)
    risk = {}
    for coverage in COVERAGES:
        kept = ranked[: max(1, round(coverage * len(ranked)))]
        risk[coverage] = round(100 - 100 * sum(r.f1 for r in kept) / len(kept), 1)
    return risk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("qa", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--questions", type=int, default=50, help="a set")
    parser.add_argument("--passages", type=int, default=500, help="a set")
    parser.add_argument("--hops", type=int)
    parser.add_argument("--left-out", type=float, default=0.0, help="share of gold passages that are not in the memory")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    questions, passages = load_pool(args.qa, args.sets.split(","), args.questions, args.passages)
    questions, passages = leave_out(questions, passages, args.left_out)
    with passages_in_memory(passages, args.model) as memory:
        asker = memory._asking()
        # Asked with the threshold open, counted with it: so the curve sees what was not sure enough as well.
        found = asker.policy.found
        asker.policy = replace(asker.policy, found=0.0, **({"max_hops": args.hops} if args.hops else {}))
        rows = [ask(memory, q, passages, found) for q in questions]
    report(rows, len(passages), args.out)


def report(rows: list[Asked], passages: int, out: Path | None) -> None:
    by_set: dict[str, list[Asked]] = defaultdict(list)
    for row in rows:
        by_set[row.set].append(row)
    sets = {name: summary(of_set) for name, of_set in by_set.items()}
    table = Table("set", *next(iter(sets.values())), title=f"{passages} passages in one memory")
    for name, values in {**sets, "all": summary(rows)}.items():
        table.add_row(name, *("" if v is None else str(v) for v in values.values()))
    Console(width=140).print(table)
    counts = {"citations": sum(r.citations for r in rows), "invalid": sum(r.invalid for r in rows)}
    risk = risks(rows)
    print(f"risk (100 - F1) of the most confident share: {risk}; {counts}")
    if out:
        out.write_text("".join(json.dumps(asdict(r), ensure_ascii=False) + "\n" for r in rows))
    print(json.dumps({"benchmark": "answers", "passages": passages, **counts, "risk": risk, "sets": sets}))


if __name__ == "__main__":
    main()
