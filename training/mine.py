"""Hard negatives from the model's own memory: what it routes to, for training questions, beside the gold passages.

    python -m training.mine MODEL_FOLDER QA_FOLDER TEXT_FOLDER OUT.jsonl [--config training/configs/mined.json]

The passages of all sets, and functions that are asked for by what their docstrings said, lie in one memory; every question is asked of it as `ask` would, and, where it needs several
passages, again with each of them as evidence. A sample is one of training.prepare's, with "after": for each gold
passage what is routed to once it has been read. Passages that hold an answer or are another part of a gold one are
left out.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import code_search
from benchmarks.sets import passages_in_memory, read_lines
from engine import Memory
from engine.model.interface import Context, Evidence
from training.prepare import free_of, kind_of, plain

ROUTED = 16
KEPT = 8
MOST_GOLDS = 2
MOST_FUNCTIONS = 4


def asked(
    folder: Path, name: str, quota: int, others: int, rng: random.Random
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """At most `quota` training questions of a set with gold passages, and their gold passages with `others` of the set's others."""
    passages = {c["id"]: c for c in read_lines(folder / f"{name}.contexts.jsonl.xz")}
    questions = [q for q in read_lines(folder / f"{name}.train.questions.jsonl.xz") if q["type"] != "unanswerable"]
    rng.shuffle(questions)
    samples: list[dict[str, Any]] = []
    needed: dict[str, dict[str, Any]] = {}
    for question in questions:
        ids = [c["id"] for c in question["contexts"] if c["gold"] and c["id"] in passages]
        spans = {c["id"]: c.get("spans") or [] for c in question["contexts"]}
        golds = [{**plain(passages[i]), "spans": spans[i]} for i in ids]
        kind = kind_of(question, golds)
        if kind is None or not golds or len(samples) == quota:
            continue
        needed.update({i: passages[i] for i in ids})
        row = {"set": name, "question": question["question"], "kind": kind, "golds": golds[:MOST_GOLDS]}
        samples.append({**row, "ids": ids, "answers": question["answers"]})
    for i in rng.sample(sorted(passages), min(others, len(passages))):
        needed.setdefault(i, passages[i])
    return samples, needed


def functions(file: Path, quota: int, rng: random.Random) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """At most `quota` functions of a file of sources, each asked for by its docstring's first sentence."""
    seen: set[str] = set()
    samples: list[dict[str, Any]] = []
    needed: dict[str, dict[str, Any]] = {}
    for record in read_lines(file):
        found = list(code_search.of_file(record["title"], record["text"], seen)) if "def " in record["text"] else []
        for question, passage in rng.sample(found, min(MOST_FUNCTIONS, len(found))):
            row = {"set": code_search.SET, "question": question, "kind": "none", "golds": [{**plain(passage), "spans": []}]}
            passage_id = f"{record['id']}:{passage['id']}"
            samples.append({**row, "ids": [passage_id], "answers": []})
            needed[passage_id] = {**passage, "id": passage_id}
        if len(samples) >= quota:
            break
    return samples, needed


def mined(memory: Memory, samples: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The samples with what the memory routes to beside their gold passages."""
    asker = memory._asking()
    policy = asker._loop(None).policy
    weight = policy.lexical_weight if policy.candidate_weight is None else policy.candidate_weight
    for sample in samples:
        loop = asker._loop(None)

        def wrong(context: Context, loop=loop, sample=sample) -> list[dict[str, Any]]:
            found = [loop.evidence(r.document) for r in loop._route([context], ROUTED, [set()], weight)[0]]
            kept = [e for e in found if loop.row(e.document).record not in sample["ids"] and free_of(e.text, sample["answers"])]
            return [{"title": e.title, "text": e.text} for e in kept[:KEPT]]

        question = sample["question"]
        after = []
        if len(sample["golds"]) > 1:
            after = [wrong(Context(question, (Evidence(-1, g["title"], g["text"]),))) for g in sample["golds"]]
        row = {k: sample[k] for k in ("set", "question", "kind", "golds")}
        yield {**row, "negatives": wrong(Context(question)), "after": after}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("qa", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "mined.json")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    rng = random.Random(config["seed"])
    samples: list[dict[str, Any]] = []
    passages: dict[str, dict[str, Any]] = {}
    for name, quota in config["mined"].items():
        if name == code_search.SET:
            of_set, needed = functions(args.text / "code.jsonl.xz", quota, rng)
        else:
            of_set, needed = asked(args.qa, name, quota, config["other_passages"], rng)
        samples += of_set
        passages.update(needed)
        print(f"{name}: {len(of_set)} questions, {len(needed)} passages", flush=True)
    rng.shuffle(samples)
    with passages_in_memory(passages, args.model) as memory, args.out.open("w", encoding="utf-8") as out:
        for number, row in enumerate(mined(memory, samples), 1):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            if number % 500 == 0:
                print(number, flush=True)


if __name__ == "__main__":
    main()
