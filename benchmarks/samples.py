"""The sample questions, asked of the shipped code and model.

    python -m benchmarks.samples [--model DIR] [--questions FILE] [--corpus DIR] [--library]

With `--library` the questions of library_questions.jsonl, about modules of Python's own library, which nobody wrote
for this project nor trained on these questions (their wording may differ between Python versions; made for 3.11).
`other_questions/` holds 520 more, for `--questions` and `--corpus`: click (its 8.1.7 source distribution), git (the .txt
pages of Debian's git-doc 2.39.5), manuals (R 4.2.2's R-intro, R-data, R-admin and R-lang, Debian's developers-reference 12 and
fhs-3.0, all PDF), novels (the first chapters of ten, as plain text), in words far from the text; and in a user's ordinary words
werkzeug (3.0.6: docs, src, tests, README.md and CHANGES.rst), handbook (the Debian Administrator's Handbook 11.20220922, English
HTML), manuals_plainly and novels_plainly (the same files). `yes_no_*` are 80 on werkzeug, the handbook and manuals. tornado (6.4.1) and paramiko
(3.4.0; both source distributions whole) and policy (Debian's policy manual 4.6.2.0 as PDF, its other manuals as text) are only counted: nothing was
written or fitted looking at them; nor at brewery and alpine, invented organisations (`benchmarks/corpora`: handbook, code, manual, minutes) asked about in
words far from their papers'.
Right means: an answerable question got one of its accepted answers (a span may carry a few more words; why and how are
answered by whole sentences) with a citation in one of its gold sources; an unanswerable one got "not found".
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.corpus import modules
from benchmarks.scoring import f1, normalised
from engine import Answer, Memory
from engine.answer_type import asks_for_explanation

ROOT = Path(__file__).parents[1] / "sample_corpora"
# An answer may carry its neighbours ("within two hours of"), but must not be a paragraph.
MOST_EXTRA_WORDS = 6
MOST_SENTENCE = 50


def accepted(answer: str, question: dict[str, Any]) -> bool:
    """Whether an answer says one of the question's, with few words more."""
    got = normalised(answer)
    spare = MOST_SENTENCE if asks_for_explanation(question["question"]) else MOST_EXTRA_WORDS
    wanted = [normalised(a) for a in question["answers"]]
    return any(f" {a} " in f" {got} " and len(got.split()) - len(a.split()) <= spare for a in wanted)


def right(answer: Answer, question: dict[str, Any]) -> tuple[bool, bool]:
    """(answer is right, a citation stands in a gold source)."""
    if not question["answerable"]:
        return not answer.found, True
    if not answer.found or answer.answer is None:
        return False, False
    golds = {(s["source"], s["record"]) for s in question["sources"]}
    return accepted(answer.answer, question), any((c.source, c.record) in golds for c in answer.citations)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--corpus", type=Path, default=ROOT)
    parser.add_argument("--questions", type=Path, default=ROOT / "questions.jsonl")
    parser.add_argument("--library", action="store_true")
    args = parser.parse_args()
    if args.library:
        args.questions = Path(__file__).parent / "library_questions.jsonl"
    questions = [json.loads(line) for line in args.questions.open(encoding="utf-8")]
    table = Table("id", "hops", "right", "cited", "answer", "wanted", "confidence")
    counts = {"right": 0, "cited": 0, "answerable": 0, "f1": 0.0, "not_found_right": 0}
    with tempfile.TemporaryDirectory() as folder, Memory.open(Path(folder) / "memory", model=args.model, create=True) as memory:
        corpus = args.corpus
        if args.library:
            corpus = modules(Path(folder) / "library", {s["source"] for q in questions for s in q["sources"]})
        memory.ingest([corpus])
        for question in questions:
            answer = memory.ask(question["question"])
            correct, cited = right(answer, question)
            counts["right"] += correct and cited
            counts["cited"] += cited and question["answerable"]
            counts["answerable"] += question["answerable"]
            counts["not_found_right"] += correct and not question["answerable"]
            counts["f1"] += f1(answer.answer or "", question["answers"]) if question["answerable"] else 0.0
            table.add_row(
                question["id"],
                str(question["hops"]),
                "yes" if correct else "-",
                "yes" if cited else "-",
                (answer.answer or "not found")[:60],
                " / ".join(question["answers"])[:40],
                f"{answer.confidence:.2f}",
            )
    Console(width=160).print(table)
    counts["f1"] = round(100 * counts["f1"] / max(1, counts["answerable"]), 1)
    print(json.dumps({"benchmark": "samples", "questions": len(questions), **counts}))


if __name__ == "__main__":
    main()
