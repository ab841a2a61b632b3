"""Stage 1: question-answering sets and code -> one shuffled file of training samples.

    python -m training.prepare QA_FOLDER TEXT_FOLDER OUT.jsonl [--config training/configs/reader.json] [--add MORE.jsonl]

A sample is {"set", "question", "kind", "golds": [{"title", "text", "spans"}], "negatives": [{"title", "text"}]}.
`kind` is span, yes, no, none (routing only) or null (not answerable). Negatives are lexical neighbours of the
question among the passages of its own set that are not gold and do not hold the answer.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.sets import read_lines
from training.code_questions import code_samples
from training.commented_code import commented_samples
from training.listed_questions import listed_samples
from training.made_hops import hop_samples
from training.made_questions import fact_samples, field_samples
from training.rule_questions import rule_samples
from training.stated_questions import stated_samples
from training.table_questions import paragraphs, table_samples
from training.unanswerable import unanswerable_samples

WORDS = re.compile(r"\w+")
COMMON = frozenset("what which when where whose whom that this with from have does were many much their the was".split())
LONGEST = 6
PROSE_SET = "squad"
MADE = (
    ("field_questions", field_samples),
    ("fact_questions", fact_samples),
    ("hop_questions", hop_samples),
    ("commented_questions", commented_samples),
    ("listed_questions", listed_samples),
    ("rule_questions", rule_samples),
    ("stated_questions", stated_samples),
)


class Lexical:
    """BM25 over the passages of one set, for hard negatives."""

    def __init__(self, passages: dict[str, dict[str, Any]]):
        self.ids = list(passages)
        self.db = sqlite3.connect(":memory:")
        self.db.execute("CREATE VIRTUAL TABLE p USING fts5(t, content='', tokenize='porter unicode61')")
        rows = [(i, f"{p['title']} {p['text']}") for i, p in enumerate(passages.values())]
        self.db.executemany("INSERT INTO p(rowid, t) VALUES (?, ?)", rows)

    def near(self, question: str, k: int) -> list[str]:
        # The longest words: rare enough to be quick, and what a passage that misleads shares.
        words = sorted({w.lower() for w in WORDS.findall(question)} - COMMON, key=len)[-LONGEST:]
        query = " OR ".join(f'"{w}"' for w in words)
        if not query:
            return []
        rows = self.db.execute("SELECT rowid FROM p WHERE p MATCH ? ORDER BY rank LIMIT ?", (query, k))
        return [self.ids[row[0]] for row in rows]


def kind_of(question: dict[str, Any], golds: list[dict[str, Any]]) -> str | None:
    """How a question trains the reader; None leaves it out."""
    answers = question["answers"]
    if question["type"] == "unanswerable":
        return "null"
    if question["type"] == "yesno":
        return answers[0].lower() if answers and answers[0].lower() in ("yes", "no") else None
    if any(g["spans"] for g in golds):
        return "span"
    return "none" if golds else None


def samples_of(folder: Path, name: str, quota: int, rng: random.Random, routing_only: bool = True) -> Iterator[dict[str, Any]]:
    """At most `quota` samples of one set; those that only train routing are left out unless `routing_only`."""
    passages = {c["id"]: c for c in read_lines(folder / f"{name}.contexts.jsonl.xz")}
    lexical = Lexical(passages)
    questions = list(read_lines(folder / f"{name}.train.questions.jsonl.xz"))
    rng.shuffle(questions)
    taken = 0
    for question in questions:
        gold_ids = [c["id"] for c in question["contexts"] if c["gold"] and c["id"] in passages]
        spans = {c["id"]: c.get("spans") or [] for c in question["contexts"]}
        golds = [{**plain(passages[i]), "spans": spans[i]} for i in gold_ids[:3]]
        kind = kind_of(question, golds)
        if kind is None or (kind not in ("null", "none") and not golds) or (kind == "none" and not routing_only):
            continue
        related = [c["id"] for c in question["contexts"] if c.get("related")]
        negatives = related or [c["id"] for c in question["contexts"] if not c["gold"]]
        negatives = [i for i in negatives if i in passages and free_of(passages[i]["text"], question["answers"])]
        if not related:
            near = [i for i in lexical.near(question["question"], 8) if i not in gold_ids]
            near = [i for i in near if free_of(passages[i]["text"], question["answers"])]
            negatives = near[:3] + negatives[:2]
        if kind == "null" and not negatives:
            continue
        yield {
            "set": name,
            "question": question["question"],
            "kind": kind,
            "golds": [] if kind == "null" else golds,
            "negatives": [plain(passages[i]) for i in negatives[:4]],
        }
        taken += 1
        if taken == quota:
            return


def plain(passage: dict[str, Any]) -> dict[str, Any]:
    return {"title": passage["title"], "text": passage["text"]}


def free_of(text: str, answers: list[str]) -> bool:
    folded = text.lower()
    return not any(len(a) > 3 and a.lower() in folded for a in answers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("qa", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "reader.json")
    parser.add_argument("--add", type=Path, nargs="*", default=[], help="files of further samples")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    rng = random.Random(config["seed"])
    samples = []
    for name, quota in config["quotas"].items():
        before = len(samples)
        samples += samples_of(args.qa, name, quota, rng, config.get("routing_only", True))
        print(f"{name}: {len(samples) - before}", flush=True)
    code = (record["text"] for record in read_lines(args.text / "code.jsonl.xz"))
    samples += code_samples(code, config["code_questions"], rng)
    for name, make in MADE:
        for file, wanted in config.get(name, {}).items():
            samples += make(read_lines(args.text / f"{file}.jsonl.xz"), wanted, rng)
    for name, wanted in config.get("table_questions", {}).items():
        prose = paragraphs(read_lines(args.qa / f"{PROSE_SET}.contexts.jsonl.xz"))
        samples += table_samples(read_lines(args.qa / f"{name}.contexts.jsonl.xz"), prose, wanted, rng)
    samples += [sample for file in args.add for sample in read_lines(file)]
    samples += unanswerable_samples(samples, config.get("unanswerable", 0), rng)
    rng.shuffle(samples)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(s, ensure_ascii=False) + "\n" for s in samples)
    print(f"{len(samples)} samples -> {args.out}")


if __name__ == "__main__":
    main()
