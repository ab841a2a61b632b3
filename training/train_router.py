"""Stage R2: the router's projections alone, over states that `router_states` kept; the backbone stays as it is.

    python -m training.train_router STATES VALID_STATES MODEL OUT [--config ...] [--steps N]

Contrastive against random passages and those that MODEL's router ranks just behind the wanted ones. A pull towards the
projections it began with keeps what the backbone knows of other kinds of text. Prints recall per set before and after;
OUT is MODEL with the trained projections. Two minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from training.losses import decoupled_contrastive
from training.train import load, save

CUTS = (1, 5, 16)


class States:
    """The file of router_states; everything float32."""

    def __init__(self, path: Path):
        with safe_open(path, "pt") as file:
            t = {name: file.get_tensor(name) for name in file.keys()}
            self.sets: list[str] = json.loads(file.metadata()["sets"])
        self.chunks, self.chunk_document = t["chunks"].float(), t["chunk_document"]
        self.tokens, self.first, self.set, self.hop = t["tokens"], t["first_token"], t["set"], t["hop"]
        self.n_documents = int(self.chunk_document.max()) + 1
        counts = torch.bincount(self.chunk_document, minlength=self.n_documents)
        self.first_chunk = torch.cat((torch.zeros(1, dtype=torch.int64), counts.cumsum(0)))
        self.wanted, self.read = (self._rows(t[name]) for name in ("wanted", "read"))

    def _rows(self, pairs: Tensor) -> list[list[int]]:
        rows: list[list[int]] = [[] for _ in range(len(self.set))]
        for query, document in pairs.tolist():
            rows[query].append(document)
        return rows

    def __len__(self) -> int:
        return len(self.set)

    def queries(self, picked: list[int]) -> tuple[Tensor, Tensor]:
        """Normed token states [B, T, d] and mask [B, T]."""
        rows = [self.tokens[self.first[i] : self.first[i + 1]].float() for i in picked]
        sizes = torch.tensor([len(r) for r in rows])
        x = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        return x, torch.arange(x.shape[1])[None] < sizes[:, None]

    def documents(self, picked: list[int]) -> tuple[Tensor, Tensor]:
        """Chunks [C, d] of these documents and whose they are [C], counted from 0."""
        ranges = [torch.arange(int(self.first_chunk[d]), int(self.first_chunk[d + 1])) for d in picked]
        owners = torch.repeat_interleave(torch.arange(len(picked)), torch.tensor([len(r) for r in ranges]))
        return self.chunks[torch.cat(ranges)], owners


class Projections(nn.Module):
    """Router projections of one head: queries are the mean of normed tokens, keys are normed chunk means."""

    def __init__(self, query: Tensor, key: Tensor):
        super().__init__()
        self.query, self.key = nn.Parameter(query.clone()), nn.Parameter(key.clone())
        self.began = (query.clone(), key.clone())

    def ask(self, x: Tensor, mask: Tensor) -> Tensor:
        q = F.normalize(x @ self.query.T, dim=-1) * mask.unsqueeze(-1)
        return q.sum(1) / mask.sum(1, keepdim=True)

    def keys(self, chunks: Tensor) -> Tensor:
        return F.normalize(chunks @ self.key.T, dim=-1)

    def scores(self, states: States, picked: list[int], keys: Tensor) -> Tensor:
        """Of all chunks [B, C]."""
        return self.ask(*states.queries(picked)) @ keys.T

    def pull(self) -> Tensor:
        return (self.query - self.began[0]).square().sum() + (self.key - self.began[1]).square().sum()


def best(scores: Tensor, owners: Tensor, n: int) -> Tensor:
    """Chunk scores [B, C] -> document scores [B, n], the maximum over a document's chunks."""
    out = scores.new_full((scores.shape[0], n), -1e4)
    return out.scatter_reduce(1, owners.expand_as(scores), scores, "amax")


@torch.no_grad()
def ranked(model: Projections, states: States, k: int) -> list[list[int]]:
    """The k best documents of every query, without those it has read."""
    keys = model.keys(states.chunks)
    found: list[list[int]] = []
    for begin in range(0, len(states), 64):
        picked = list(range(begin, min(begin + 64, len(states))))
        scores = best(model.scores(states, picked, keys), states.chunk_document, states.n_documents)
        for row, i in zip(scores, picked, strict=True):
            row[states.read[i]] = -1e4
            found.append(row.topk(k).indices.tolist())
    return found


def recall(model: Projections, states: States) -> dict[str, dict[str, float]]:
    """Per set and hop (`hotpotqa+1`: having read one passage) the share of wanted documents in the best 1, 5, 16."""
    sums: dict[str, list[float]] = {}
    for i, row in enumerate(ranked(model, states, max(CUTS))):
        name = states.sets[states.set[i]] + ("+1" if states.hop[i] else "")
        hits = [len(set(row[:k]) & set(states.wanted[i])) / len(states.wanted[i]) for k in CUTS]
        sums.setdefault(name, [0.0] * (len(CUTS) + 1))
        sums[name] = [a + b for a, b in zip(sums[name], [*hits, 1.0], strict=True)]
    return {
        name: {f"R@{k}": round(100 * v / total[-1], 1) for k, v in zip(CUTS, total, strict=False)}
        for name, total in sorted(sums.items())
    }


def means(table: dict[str, dict[str, float]]) -> dict[str, float]:
    """Mean over sets of first rounds and of later ones."""
    out = {}
    for label, rows in (("first", [v for n, v in table.items() if "+" not in n]), ("hop", [v for n, v in table.items() if "+" in n])):
        for k in CUTS:
            out[f"{label} R@{k}"] = round(sum(r[f"R@{k}"] for r in rows) / max(1, len(rows)), 2)
    return out


def train(model: Projections, states: States, settings: dict[str, Any], log: bool = True) -> None:
    rng = random.Random(settings["seed"])
    hard = ranked(model, states, settings["mined_from"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings["lr"], weight_decay=0.0)
    steps, size = settings["steps"], settings["batch_size"]
    for step in range(steps):
        picked = rng.sample(range(len(states)), size)
        wanted = {d for i in picked for d in states.wanted[i]}
        mined = {d for i in picked for d in rng.sample(hard[i], settings["mined"])}
        drawn = set(rng.sample(range(states.n_documents), settings["drawn"]))
        documents = sorted(wanted | mined | drawn)
        place = {d: n for n, d in enumerate(documents)}
        chunks, owners = states.documents(documents)
        scores = best(model.scores(states, picked, model.keys(chunks)), owners, len(documents))
        positive = torch.zeros_like(scores, dtype=torch.bool)
        negative = torch.ones_like(positive)
        for n, i in enumerate(picked):
            positive[n, [place[d] for d in states.wanted[i]]] = True
            negative[n, [place[d] for d in (*states.wanted[i], *states.read[i]) if d in place]] = False
        loss = decoupled_contrastive(scores, positive, negative, settings["temperature"])
        optimizer.zero_grad()
        (loss + settings["pull"] * model.pull()).backward()
        for group in optimizer.param_groups:
            group["lr"] = settings["lr"] * (1 - step / steps)
        optimizer.step()
        if log and step % 50 == 0:
            print(json.dumps({"step": step, "loss": round(float(loss.detach()), 4), "pull": round(float(model.pull().detach()), 2)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("states", type=Path)
    parser.add_argument("valid", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "router_projections.json")
    parser.add_argument("--steps", type=int)
    args = parser.parse_args()
    settings = json.loads(args.config.read_text())
    settings["steps"] = args.steps or settings["steps"]
    torch.manual_seed(settings["seed"])
    encoder, _ = load(args.model)
    attention = encoder.layers[str(encoder.config.backbone_layers)].self_attn
    model = Projections(attention.router_q_proj[0].weight.detach(), attention.router_k_proj[0].weight.detach())
    valid = States(args.valid)
    before = recall(model, valid)
    train(model, States(args.states), settings)
    after = recall(model, valid)
    for name in after:
        print(json.dumps({"set": name, "before": before[name], "after": after[name]}))
    print(json.dumps({"before": means(before), "after": means(after)}))
    attention.router_q_proj[0].weight.data.copy_(model.query.detach())
    attention.router_k_proj[0].weight.data.copy_(model.key.detach())
    save(encoder, args.model, args.out)


if __name__ == "__main__":
    main()
