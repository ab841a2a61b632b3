"""Recall of gold passages: the router against BM25, dense vectors, their fusion and the two-step fusion.

    python -m benchmarks.retrieval QA_FOLDER [--model DIR] [--backbone DIR] [--sets A,B] [--questions N] [--passages N] [--part train] [--out F]

All passages of all sets lie in one memory; all systems see the same questions in the same run. Prints a table a
group of sets and a paired bootstrap of the hopping router against the two-step fusion; the last line is JSON. The set
"code" needs no file: functions of Python's own library, asked for by what their docstrings said.
`--backbone` is the converted, untrained model (training.convert); `--out` gets one line a question. `--part train` asks
the many training questions of sets that the model was not trained on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

if not __package__:  # run as a script: what is imported below is found from the repository's root
    sys.path[0] = str(Path(__file__).parents[1])

from rich.console import Console
from rich.table import Table

from benchmarks import code_search
from benchmarks.baselines import Dense, Lexical, Retriever, fused, two_steps
from benchmarks.scoring import bootstrap
from benchmarks.sets import Question, load_pool, passages_in_memory
from engine import Memory
from engine.recall import recall

MULTI_HOP = ("hotpotqa", "hotpotqa_evidence", "hybridqa_ott", "strategyqa", "multirc")
SETS = (
    *MULTI_HOP, "squad", "nq_gold", "policyqa", "conditionalqa", "friendsqa", "tatqa_text", "medquad", "covid_faq", "scifact",
    "trecqa", code_search.SET,
)  # fmt: skip
CUTS = (1, 2, 5, 10, 16)
ALL_CUTS = (5, 10, 16)
HOPS = "msa, hops"


def measures(ranking: list[str], golds: list[str]) -> dict[str, float]:
    """Recall at each cut, and whether all gold passages are in."""
    found = {k: len(set(golds) & set(ranking[:k])) / len(golds) for k in CUTS}
    return {**{f"R@{k}": v for k, v in found.items()}, **{f"all@{k}": float(found[k] == 1) for k in ALL_CUTS}}


def systems(memory: Memory, backbone: Path, documents: list[tuple[int, str, str]]) -> dict[str, Retriever]:
    asker = memory._asking()
    texts = {i: f"{title} {text}" for i, title, text in documents}

    def msa(hops: int) -> Retriever:
        return lambda question: [r.document for r in recall(asker._loop(None), question, max(CUTS), hops)]

    lexical, dense = Lexical(asker.store), Dense(backbone, documents)
    fusion = fused(lexical, dense)
    return {
        "BM25": lexical,
        "dense": dense,
        "fusion": fusion,
        "BM25, two steps": two_steps(lexical, texts.__getitem__),
        "fusion, two steps": two_steps(fusion, texts.__getitem__),
        "msa, one round": msa(1),
        HOPS: msa(2),
    }


def run(memory: Memory, backbone: Path, questions: list[Question]) -> dict[str, dict[str, dict[str, float]]]:
    """System -> question id -> measures."""
    store = memory._asking().store
    rows = store.documents(store.all_document_ids())
    record = {row.id: row.record for row in rows}
    documents = [(row.id, row.title, store.text(row.source_id, row.start, row.end)) for row in rows]
    results: dict[str, dict] = {}
    for name, retrieve in systems(memory, backbone, documents).items():
        began = time.perf_counter()
        results[name] = {
            q.id: measures(list(dict.fromkeys(record[d] for d in retrieve(q.question))), q.golds) for q in questions
        }
        Console(stderr=True).print(f"{name}: {time.perf_counter() - began:.0f} s")
    return results


def mean(rows: dict[str, dict[str, float]], ids: list[str], measure: str) -> float:
    return round(100 * sum(rows[i][measure] for i in ids) / len(ids), 1)


def show(title: str, results: dict[str, dict], ids: list[str]) -> None:
    columns = [*(f"R@{k}" for k in CUTS), *(f"all@{k}" for k in ALL_CUTS)]
    table = Table("system", *columns, title=f"{title}: {len(ids)} questions")
    for name, rows in results.items():
        table.add_row(name, *(str(mean(rows, ids, c)) for c in columns))
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("qa", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--backbone", type=Path, default=Path("training/work/stage0"))
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--questions", type=int, default=100, help="a set")
    parser.add_argument("--passages", type=int, default=1000, help="a set")
    parser.add_argument("--part", default="valid", choices=("valid", "train"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    numbers, sets = (args.questions, args.passages), args.sets.split(",")
    pool, passages = load_pool(
        args.qa, [s for s in sets if s != code_search.SET], *numbers, needs_answer=False, part=args.part
    )
    if code_search.SET in sets:
        asked, functions = code_search.load(*numbers)
        pool += asked
        passages.update({p["id"]: p for p in functions})
    questions = [q for q in pool if q.golds and all(g in passages for g in q.golds)]
    with passages_in_memory(passages, args.model) as memory:
        results = run(memory, args.backbone, questions)
    report(questions, results, args.out)


def report(questions: list[Question], results: dict[str, dict], out: Path | None) -> None:
    by_set: dict[str, list[str]] = defaultdict(list)
    for q in questions:
        by_set[q.set].append(q.id)
    in_group: Callable[[bool], list[str]] = lambda many: [q.id for q in questions if (q.set in MULTI_HOP) == many]
    summary: dict[str, object] = {"benchmark": "retrieval", "questions": len(questions)}
    for title, ids in (("multi-hop", in_group(True)), ("single hop", in_group(False))):
        if ids:
            show(title, results, ids)
            summary[title] = {name: {c: mean(rows, ids, c) for c in ("R@5", "R@16", "all@10")} for name, rows in results.items()}
            gap = bootstrap(*([results[s][i]["R@5"] for i in ids] for s in (HOPS, "fusion, two steps")))
            summary[f"{title}: hops against two-step fusion, R@5"] = [round(x, 1) for x in gap]
    table = Table("set", *results, title="R@5")
    for name, ids in by_set.items():
        table.add_row(f"{name} ({len(ids)})", *(str(mean(rows, ids, "R@5")) for rows in results.values()))
    Console(width=120).print(table)
    if out:
        with out.open("w") as lines:
            for q in questions:
                row = {"id": q.id, "set": q.set, **{name: rows[q.id] for name, rows in results.items()}}
                lines.write(json.dumps(row) + "\n")
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
