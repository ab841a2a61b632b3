"""Stage G2: worded questions -> samples with negatives: passages of the same file with the question's words, and the neighbours.

    python -m training.worded_samples PASSAGES.jsonl.xz WORDED.jsonl OUT.jsonl

Questions that the model itself would answer otherwise are left out. The samples are marked "worded": training.train_reader may
drop those whose answers its reader holds unlikely.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.sets import read_lines
from training.prepare import Lexical, free_of, plain

NEAR, BESIDE = 3, 2
UNSURE, UNSURE_LONG, UNSURE_FIRST = -1.2, -0.02, -3.0
"""Least log-probability of an answer, more of it for each character; less is asked of one whose every token was the likeliest."""


def is_sure(row: dict[str, Any]) -> bool:
    """Whether the model that worded a question would answer it so."""
    begin, stop = row["spans"][0]
    return row["chance"] >= UNSURE + UNSURE_LONG * (stop - begin) or bool(row["first"] and row["chance"] >= UNSURE_FIRST)


def worded_samples(passages: list[dict[str, Any]], worded: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Negatives hold no answer; the passages before and after the question's own come first among them."""
    of_file: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for number, passage in enumerate(passages):
        of_file[passage["file"]][str(number)] = passage
    lexical = {name: Lexical(some) for name, some in of_file.items()}
    for row in worded:
        number = row["passage"]
        passage = passages[number]
        if not is_sure(row):
            continue
        answer = passage["text"][slice(*row["spans"][0])]
        near = map(int, lexical[passage["file"]].near(row["question"], 8))
        beside = (n for n in (number - 1, number + 1) if 0 <= n < len(passages) and passages[n]["source"] == passage["source"])
        kept = list(dict.fromkeys([*list(beside)[:BESIDE], *near]))
        wrong = [passages[n] for n in kept if passages[n]["text"] != passage["text"] and free_of(passages[n]["text"], [answer])]
        yield {
            "set": "code" if passage["file"] == "code" else "worded",
            "question": row["question"],
            "kind": "span",
            "golds": [{**plain(passage), "spans": row["spans"]}],
            "negatives": [plain(p) for p in wrong[: NEAR + BESIDE]],
            "worded": True,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("passages", "worded", "out"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    passages, worded = list(read_lines(args.passages)), list(read_lines(args.worded))
    with args.out.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(s, ensure_ascii=False) + "\n" for s in worded_samples(passages, worded))


if __name__ == "__main__":
    main()
