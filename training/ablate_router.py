"""What each part of routing earns, on kept validation states: query reduction, pooling, key width, int8.

    python -m training.ablate_router VALID_STATES MODEL

A row a variant: mean over sets of recall in the first round, and in the second (having read one passage).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.store.quantise import dequantise, quantise
from training.train import load
from training.train_router import Projections, States, means, recall

WIDTHS = (256, 192, 128, 64)


class Variant(Projections):
    """Projections whose keys and queries are changed after the fact."""

    def __init__(self, base: Projections, change: Callable[[Tensor], Tensor]):
        super().__init__(base.query.detach(), base.key.detach())
        self.change = change

    def ask(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.change(super().ask(x, mask))

    def keys(self, chunks: Tensor) -> Tensor:
        return F.normalize(self.change(super().keys(chunks)), dim=-1)


class Int8Keys(Projections):
    """Keys as the store holds them."""

    def keys(self, chunks: Tensor) -> Tensor:
        return dequantise(*quantise(super().keys(chunks)))


class TokenMax(Projections):
    """The best token of the question decides, not the mean."""

    def scores(self, states: States, picked: list[int], keys: Tensor) -> Tensor:
        x, mask = states.queries(picked)
        q = F.normalize(x @ self.query.T, dim=-1)
        products = torch.einsum("btd,cd->btc", q, keys).masked_fill(~mask.unsqueeze(-1), -1e4)
        return products.amax(1)


def whole_passages(states: States) -> States:
    """The same states with one chunk a document: the mean of its chunks."""
    merged = object.__new__(States)
    merged.__dict__.update(states.__dict__)
    sums = torch.zeros(states.n_documents, states.chunks.shape[1]).index_add_(0, states.chunk_document, states.chunks)
    counts = torch.bincount(states.chunk_document, minlength=states.n_documents)
    merged.chunks = sums / counts.unsqueeze(1)
    merged.chunk_document = torch.arange(states.n_documents)
    merged.first_chunk = torch.arange(states.n_documents + 1)
    return merged


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("valid", type=Path)
    parser.add_argument("model", type=Path)
    args = parser.parse_args()
    states = States(args.valid)
    encoder, _ = load(args.model)
    attention = encoder.layers[str(encoder.config.backbone_layers)].self_attn
    weights = attention.router_q_proj[0].weight.detach(), attention.router_k_proj[0].weight.detach()
    base = Projections(*weights)
    # Directions in which keys vary most.
    directions = torch.linalg.eigh(torch.cov(base.keys(states.chunks).T))[1].flip(1)
    rows = [("mean query, best chunk", base, states), ("int8 keys", Int8Keys(*weights), states)]
    rows.append(("one key a passage", base, whole_passages(states)))
    rows.append(("best token instead of the mean", TokenMax(*weights), states))
    rows += [(f"keys of {w}", Variant(base, lambda v, w=w: v @ directions[:, :w]), states) for w in WIDTHS]
    for name, model, kept in rows:
        print(json.dumps({"variant": name, **means(recall(model, kept))}), flush=True)


if __name__ == "__main__":
    main()
