"""Stage R3: queries that have read a passage learn to ask for the one that is missing.

    python -m training.train_adapter MODEL SAMPLES.jsonl QA_FOLDER OUT [--config training/configs/query_adapter.json]

Only the query adapter learns: documents' keys stay as they are, so every question is compared with all passages of
the training samples at once. One query in four has read a passage that does not help and wants all gold ones. What was
learned is kept at `strength`, part of the way back: on sets it was not trained on, all of it is too much. Prints the
recall of second rounds on validation sets, among them sets it does not train on, before and every `save_every` steps.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.sets import load_pool, read_lines
from engine.model.encoder import MSAEncoder, low_rank_adapter
from engine.model.inputs import EncoderInputs, pad
from training.losses import decoupled_contrastive, mask_of
from training.router_states import Passages
from training.step import padded
from training.train import load, save, schedule
from training.train_router import CUTS, best

GROUP = 8


@dataclass
class Hops(Passages):
    """Queries (set, question, passages read, passages wanted) over passages."""

    queries: list[tuple[str, str, list[int], list[int]]] = field(default_factory=list)


def of_samples(samples: list[dict[str, Any]], quotas: dict[str, int], rng: random.Random) -> Hops:
    """A sample with several gold passages is asked once from each of them, or from a passage that does not help."""
    hops, taken = Hops(), dict.fromkeys(quotas, 0)
    for sample in samples:
        name = sample["set"]
        if taken.get(name, 0) >= quotas.get(name, 0) or len(sample["golds"]) < 2:
            continue
        taken[name] += 1
        golds = list(dict.fromkeys(hops.passage(g["title"], g["text"]) for g in sample["golds"]))
        wrong = [hops.passage(n["title"], n["text"]) for n in sample["negatives"][:1]]
        for first in golds:
            if wrong and rng.random() < 0.25:
                hops.queries.append((name, sample["question"], wrong, golds))
            elif len(golds) > 1:
                hops.queries.append((name, sample["question"], [first], [g for g in golds if g != first]))
    return hops


def of_valid(folder: Path, sets: list[str], questions: int, passages: int) -> Hops:
    hops = Hops()
    asked, pool = load_pool(folder, sets, questions, passages, needs_answer=False)
    numbers = {i: hops.passage(p["title"], p["text"]) for i, p in pool.items()}
    for question in asked:
        golds = list(dict.fromkeys(numbers[g] for g in question.golds if g in numbers))
        for first in golds if len(golds) > 1 else []:
            hops.queries.append((question.set, question.question, [first], [g for g in golds if g != first]))
    return hops


class Routing:
    """Scores of queries against all passages of some Hops; keys are encoded once."""

    def __init__(self, model: MSAEncoder, inputs: EncoderInputs, hops: Hops):
        self.model, self.inputs, self.hops = model, inputs, hops
        self.device = model.norm.weight.device
        self.keys, self.owners = self._keys(inputs.documents(hops.passages))

    @torch.no_grad()
    def _keys(self, rows: list[list[int]]) -> tuple[Tensor, Tensor]:
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        size = self.model.config.router.pooling_kernel_size
        keys, owners = [], []
        for begin in range(0, len(order), GROUP):
            picked = order[begin : begin + GROUP]
            ids, mask = (t.to(self.device) for t in pad([rows[i] for i in picked]))
            keys.append(self.model.encode_documents(ids, mask)[0].router_keys.flatten(1).half())
            counts = torch.tensor([-(-len(rows[i]) // size) for i in picked])
            owners.append(torch.tensor(picked).repeat_interleave(counts))
            if begin // GROUP % 250 == 0:
                print(f"keys of {begin}/{len(rows)} passages", flush=True)
        return torch.cat(keys).float(), torch.cat(owners).to(self.device)

    def queries(self, picked: list[int]) -> Tensor:
        """Mean router queries [B, d] of the questions' tokens, in groups of like length."""
        rows = [
            self.inputs.active(question, [self.hops.passages[i] for i in read])
            for _, question, read, _ in (self.hops.queries[i] for i in picked)
        ]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
        out: dict[int, Tensor] = {}
        for begin in range(0, len(order), GROUP):
            group = order[begin : begin + GROUP]
            ids, mask, segments = padded([rows[i] for i in group], self.device)
            weights = pad([rows[i].routing for i in group])[0].float().to(self.device).unsqueeze(-1)
            q = self.model.first_router_query(self.model.encode_query(ids, mask, segments)).flatten(2)
            for j, i in enumerate(group):
                out[i] = (q[j] * weights[j]).sum(0) / weights[j].sum()
        return torch.stack([out[i] for i in range(len(rows))])

    def scores(self, picked: list[int]) -> Tensor:
        """Of all passages [B, N]; the passages a query has read get the least there is."""
        scores = best(self.queries(picked) @ self.keys.T, self.owners, len(self.hops.passages))
        read = mask_of([self.hops.queries[i][2] for i in picked], scores.shape[1]).to(self.device)
        return scores.masked_fill(read, -1e4)

    @torch.no_grad()
    def recall(self) -> dict[str, list[float]]:
        """Per set the share of wanted passages among the best 1, 5 and 16, and the number of queries."""
        sums: dict[str, list[float]] = {}
        for begin in range(0, len(self.hops.queries), 64):
            picked = list(range(begin, min(begin + 64, len(self.hops.queries))))
            ranked = self.scores(picked).topk(min(max(CUTS), len(self.hops.passages))).indices.tolist()
            for row, i in zip(ranked, picked, strict=True):
                name, _, _, wanted = self.hops.queries[i]
                hits = [len(set(row[:k]) & set(wanted)) / len(wanted) for k in CUTS]
                sums[name] = [a + b for a, b in zip(sums.get(name, [0.0] * 4), [*hits, 1.0], strict=True)]
        return {name: [round(100 * v / s[-1], 1) for v in s[:-1]] + [int(s[-1])] for name, s in sorted(sums.items())}


def train(model: MSAEncoder, routing: Routing, settings: dict[str, Any], out: Path, tell) -> None:
    """Only `model.query_adapter` learns. Saves every `save_every` steps and calls `tell(step)` then."""
    model.requires_grad_(False)
    adapter = model.query_adapter.requires_grad_(True)
    optimizer = torch.optim.AdamW(adapter.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"])
    order = list(range(len(routing.hops.queries)))
    random.Random(settings["seed"]).shuffle(order)
    size, steps, sums, clock = settings["batch_size"], settings["steps"], [], time.perf_counter()
    for step in range(steps):
        picked = [order[(step * size + i) % len(order)] for i in range(size)]
        scores = routing.scores(picked)
        wanted = mask_of([routing.hops.queries[i][3] for i in picked], scores.shape[1]).to(routing.device)
        loss = decoupled_contrastive(scores, wanted, ~wanted & (scores > -1e3), settings["temperature"])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapter.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = settings["lr"] * schedule(step, steps, settings["warmup"])
        optimizer.step()
        sums.append(float(loss.detach()))
        if (step + 1) % settings["log_every"] == 0:
            seconds = time.perf_counter() - clock
            print(json.dumps({"step": step + 1, "seconds": round(seconds), "loss": round(sum(sums) / len(sums), 4)}), flush=True)
            sums, clock = [], time.perf_counter()
        if step + 1 == steps:
            weaken(model, settings["strength"])
        if (step + 1) % settings["save_every"] == 0 or step + 1 == steps:
            save(model, out, out)
            tell(step + 1)


@torch.no_grad()
def weaken(model: MSAEncoder, strength: float) -> None:
    """The adapter's change to every projection, times `strength`."""
    for layer in model.query_adapter:
        for part in layer.values():
            part.b.mul_(strength)


def with_adapter(folder: Path, rank: int, out: Path) -> MSAEncoder:
    """The model of the folder with an untrained query adapter; OUT gets its configuration."""
    raw = json.loads((folder / "config.json").read_text(encoding="utf-8")) | {"query_adapter_rank": rank}
    model, _ = load(folder)
    model.config = type(model.config).from_dict(raw)
    if model.query_adapter is None:
        model.query_adapter = low_rank_adapter(model.config)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(raw, indent=2) + "\n", encoding="utf-8")
    (out / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("samples", type=Path, help="as training.prepare wrote them")
    parser.add_argument("qa", type=Path, help="the folder of sets, for validation")
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "query_adapter.json")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    settings = json.loads(args.config.read_text())
    settings["steps"] = args.steps or settings["steps"]
    torch.manual_seed(settings["seed"])
    model = with_adapter(args.model, settings["rank"], args.out).to(args.device)
    inputs = load(args.model)[1]
    valid = Routing(model, inputs, of_valid(args.qa, **settings["valid"]))
    print(json.dumps({"step": 0, "valid": valid.recall()}), flush=True)
    hops = of_samples(list(read_lines(args.samples)), settings["quotas"], random.Random(settings["seed"]))
    print(f"{len(hops.queries)} queries over {len(hops.passages)} passages", flush=True)
    tell = lambda step: print(json.dumps({"step": step, "valid": valid.recall()}), flush=True)
    train(model, Routing(model, inputs, hops), settings, args.out, tell)


if __name__ == "__main__":
    main()
