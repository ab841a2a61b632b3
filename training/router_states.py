"""Stage R1: what the frozen backbone says of questions and passages, kept so that the router's projections train in minutes.

    python -m training.router_states MODEL SAMPLES.jsonl OUT.safetensors [--config training/configs/router_projections.json]
    python -m training.router_states MODEL QA_FOLDER OUT.safetensors --valid

Stored: `chunks` float16 [C, d], the mean of each chunk's normed states, which router keys are linear in; `chunk_document`
int64 [C]; `tokens` float16 [T, d], the normed states of questions' tokens; `first_token` int64 [Q + 1]; `wanted` and
`read` int64 [*, 2] of (query, document); `set` int64 [Q], a name's number in the metadata; `hop` int64 [Q]. A query is
a bare question, or one that has read the passages in `read` and wants the others.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from benchmarks.sets import load_pool, read_lines
from engine.model.inputs import ActiveRow, pad
from kernels import chunk_pool
from training.train import load

CHARACTERS = 600
GROUP = 8


@dataclass
class Passages:
    """Passages (title, text), numbered once each."""

    passages: list[tuple[str, str]] = field(default_factory=list)
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def passage(self, title: str, text: str) -> int:
        key = (title, text[:CHARACTERS])
        if key not in self._numbers:
            self._numbers[key] = len(self.passages)
            self.passages.append(key)
        return self._numbers[key]


@dataclass
class Queries(Passages):
    """What is to be encoded: the passages and the queries over them."""

    asked: list[tuple[str, list[int]]] = field(default_factory=list)
    wanted: list[list[int]] = field(default_factory=list)
    sets: list[str] = field(default_factory=list)

    def ask(self, name: str, question: str, read: list[int], wanted: list[int]) -> None:
        self.asked.append((question, read))
        self.wanted.append(wanted)
        self.sets.append(name)


def of_samples(samples: list[dict[str, Any]], quotas: dict[str, int], negatives: int, rng: random.Random) -> Queries:
    """Questions of training samples, at most `quotas` a set; with two gold passages also asked having read one."""
    queries, taken = Queries(), Counter()
    for sample in samples:
        name = sample["set"]
        if taken[name] >= quotas.get(name, 0) or not sample["golds"]:
            continue
        taken[name] += 1
        golds = [queries.passage(g["title"], g["text"]) for g in sample["golds"]]
        for negative in sample["negatives"][:negatives]:
            queries.passage(negative["title"], negative["text"])
        _both_ways(queries, name, sample["question"], golds, rng)
    return queries


def of_valid(folder: Path, sets: list[str], questions: int, passages: int, rng: random.Random) -> Queries:
    """Validation questions over pooled passages."""
    queries = Queries()
    asked, pool = load_pool(folder, sets, questions, passages)
    numbers = {i: queries.passage(p["title"], p["text"]) for i, p in pool.items()}
    for question in asked:
        golds = [numbers[g] for g in question.golds if g in numbers]
        if golds:
            _both_ways(queries, question.set, question.question, golds, rng)
    return queries


def _both_ways(queries: Queries, name: str, question: str, golds: list[int], rng: random.Random) -> None:
    golds = list(dict.fromkeys(golds))
    queries.ask(name, question, [], golds)
    if len(golds) > 1:
        first = rng.choice(golds)
        queries.ask(name, question, [first], [g for g in golds if g != first])


@torch.inference_mode()
def encode(folder: Path, queries: Queries) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Tensors as stored, and the names that `set` numbers."""
    model, inputs = load(folder)
    model.eval()
    layer = model.layers[str(model.config.backbone_layers)]
    size = model.config.router.pooling_kernel_size

    def states(rows: list[ActiveRow] | list[list[int]]) -> list[torch.Tensor]:
        ids = [r if isinstance(r, list) else r.ids for r in rows]
        segments = [[0] * len(r) if isinstance(r, list) else r.segments for r in rows]
        out: dict[int, torch.Tensor] = {}
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for begin in range(0, len(order), GROUP):
            picked = order[begin : begin + GROUP]
            tokens, mask = pad([ids[i] for i in picked])
            x = model.encode_backbone(tokens, mask, pad([segments[i] for i in picked])[0])
            h = layer.input_layernorm(x)
            for j, i in enumerate(picked):
                kept = h[j, : len(ids[i])]
                if isinstance(rows[i], list):
                    out[i] = chunk_pool(kept[:, None], [len(kept)], size)[:, 0].half()
                else:
                    out[i] = kept[torch.tensor(rows[i].routing)].half()
            if begin // GROUP % 200 == 0:
                print(f"{begin}/{len(order)}", flush=True)
        return [out[i] for i in range(len(rows))]

    chunks = states(inputs.documents(queries.passages))
    asked = states([inputs.active(q, [queries.passages[i] for i in read]) for q, read in queries.asked])
    names = sorted(set(queries.sets))
    pairs = {
        "wanted": [(q, d) for q, row in enumerate(queries.wanted) for d in row],
        "read": [(q, d) for q, (_, row) in enumerate(queries.asked) for d in row],
    }
    return {
        "chunks": torch.cat(chunks),
        "chunk_document": torch.arange(len(chunks)).repeat_interleave(torch.tensor([len(c) for c in chunks])),
        "tokens": torch.cat(asked),
        "first_token": torch.tensor([0, *(len(a) for a in asked)]).cumsum(0),
        "set": torch.tensor([names.index(n) for n in queries.sets]),
        "hop": torch.tensor([len(read) for _, read in queries.asked]),
        **{name: torch.tensor(rows, dtype=torch.int64).view(-1, 2) for name, rows in pairs.items()},
    }, names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path, help="samples as training.prepare wrote them, or with --valid the folder of sets")
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "router_projections.json")
    parser.add_argument("--valid", action="store_true")
    args = parser.parse_args()
    settings = json.loads(args.config.read_text())
    rng = random.Random(settings["seed"])
    if args.valid:
        valid = settings["valid"]
        queries = of_valid(args.data, valid["sets"], valid["questions"], valid["passages"], rng)
    else:
        queries = of_samples(list(read_lines(args.data)), settings["quotas"], settings["negatives"], rng)
    print(f"{len(queries.asked)} queries over {len(queries.passages)} passages", flush=True)
    tensors, names = encode(args.model, queries)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, args.out, {"sets": json.dumps(names)})


if __name__ == "__main__":
    main()
