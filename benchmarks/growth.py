"""What growth costs: the same questions asked as real text joins their passages in one memory.

    python -m benchmarks.growth QA_FOLDER TEXT_FOLDER [--sizes 100000,1000000] [--encode N] [--sets A,B] [--questions N]
                                [--passages N] [--model DIR]

TEXT_FOLDER holds .jsonl or .jsonl.xz records, which join a file at a time in turn. Prints a row a size: gold passages
among the best 5 and 16, in one round and with hops, F1 of the best answer, and seconds a question. The passages and
the first `--encode` tokens of other text are encoded; the states of the rest are drawn from those (`resampled` says
how much), its words are its own. Text about a question's topic that answers it as well counts as a distractor. The
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

if not __package__:  # run as a script: what is imported below is found from the repository's root
    sys.path[0] = str(Path(__file__).parents[1])

from rich.console import Console
from rich.table import Table

from benchmarks.answers import SETS
from benchmarks.resampled import CHARACTERS_A_TOKEN, Resampled, ingest, jsonl_files
from benchmarks.retrieval import measures
from benchmarks.scoring import bootstrap, f1
from benchmarks.sets import Question, load_pool, read_lines, write_records
from engine import Memory
from engine.asking import Asker
from engine.model.loading import load_memory_model
from engine.places import bundled_model
from engine.recall import recall

PASSAGES = "passages.jsonl"
CUTS = (5, 16)


def in_turn(folder: Path) -> Iterator[dict[str, Any]]:
    """Records of all files of a folder, one of each file in turn."""
    files = [read_lines(path) for path in jsonl_files(folder)]
    while files:
        for lines in list(files):
            if (record := next(lines, None)) is None:
                files.remove(lines)
            else:
                yield record


def write_more(text: Iterator[dict[str, Any]], tokens: int, path: Path) -> None:
    """About `tokens` tokens of further records. Raises SystemExit when the text ends before."""
    left = tokens * CHARACTERS_A_TOKEN
    with path.open("w", encoding="utf-8") as out:
        for number, record in enumerate(text):
            row = {"id": str(number), "title": record.get("title", ""), "text": record["text"]}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            left -= len(record["text"])
            if left <= 0:
                return
    raise SystemExit("there is not so much text; name a folder with more")


def recalled(asker: Asker, question: Question, hops: int) -> list[str]:
    """Ids of the passages recalled, best first, other text among them under names of its own."""
    loop = asker._loop(None)
    rows = [loop.row(r.document) for r in recall(loop, question.question, max(CUTS), hops)]
    return list(dict.fromkeys(row.record if row.source == PASSAGES else f"other {row.id}" for row in rows))


def measure(place: Path, model: Path | None, questions: list[Question]) -> dict[str, list[float]]:
    """Measure -> its value for each question."""
    rows: dict[str, list[float]] = {f"R@{k} {rounds}": [] for rounds in ("one round", "hops") for k in CUTS}
    rows |= {"F1": [], "seconds": []}
    with Memory.open(place, model=model) as memory:
        asker = memory._asking()
        asker.policy = replace(asker.policy, found=0.0)
        for question in questions:
            for hops, rounds in ((1, "one round"), (2, "hops")):
                found = measures(recalled(asker, question, hops), question.golds)
                for k in CUTS:
                    rows[f"R@{k} {rounds}"].append(found[f"R@{k}"])
            began = time.perf_counter()
            answer = memory.ask(question.question)
            rows["seconds"].append(time.perf_counter() - began)
            rows["F1"].append(f1(answer.answer or "", question.answers))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("qa", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--sizes", default="100000,1000000", help="tokens, growing")
    parser.add_argument("--encode", type=int, default=500_000, help="tokens to encode before states are resampled")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--questions", type=int, default=20, help="a set")
    parser.add_argument("--passages", type=int, default=20, help="a set")
    parser.add_argument("--model", type=Path)
    args = parser.parse_args()
    pool, passages = load_pool(args.qa, args.sets.split(","), args.questions, args.passages)
    questions = [q for q in pool if q.answers and q.golds and all(g in passages for g in q.golds)]
    model = load_memory_model(args.model or bundled_model())
    seat = Resampled(model, args.encode)
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        folder, place = Path(temporary), Path(temporary) / "memory"
        write_records(list(passages.values()), folder / PASSAGES)
        tokens = ingest(place, model, [folder / PASSAGES]).tokens
        text = in_turn(args.text)
        for size in map(int, args.sizes.split(",")):
            if size > tokens:
                write_more(text, size - tokens, folder / f"{size}.jsonl")
                tokens += ingest(place, seat, [folder / f"{size}.jsonl"]).tokens
            Console(stderr=True).print(f"{tokens:,} tokens")
            results.append((tokens, seat.resampled / tokens, measure(place, args.model, questions)))
    report(questions, results)


def report(questions: list[Question], results: list[tuple[int, float, dict[str, list[float]]]]) -> None:
    names = list(results[0][2])
    table = Table("tokens", "resampled", *names, title=f"{len(questions)} questions")
    lines = []
    for tokens, resampled, rows in results:
        means = {name: round(100 * statistics.mean(rows[name]), 1) for name in names if name != "seconds"}
        means["seconds"] = round(statistics.median(rows["seconds"]), 2)
        # What was lost since the smallest memory, with its 95% interval.
        lost = {name: [round(x, 1) for x in bootstrap(rows[name], results[0][2][name])] for name in ("R@5 hops", "F1")}
        lines.append({"tokens": tokens, "resampled": round(resampled, 3), **means, "against_smallest": lost})
        table.add_row(f"{tokens:,}", f"{resampled:.0%}", *(str(means[name]) for name in names))
    Console(width=140).print(table)
    print(json.dumps({"benchmark": "growth", "questions": len(questions), "sizes": lines}))


if __name__ == "__main__":
    main()
