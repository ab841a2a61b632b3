"""A memory of any size in minutes: only some documents are encoded, the states of the others are drawn from theirs."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from engine.ingest import Ingest
from engine.model.states import DocumentStates
from engine.results import IngestReport
from engine.store import Store

NOISE = 0.02
CHARACTERS_A_TOKEN = 4.0


def jsonl_files(folder: Path) -> list[Path]:
    """The .jsonl and .jsonl.xz files of a folder."""
    return sorted([*folder.glob("*.jsonl.xz"), *folder.glob("*.jsonl")])


def ingest(place: Path, model: Any, corpus: list[Path], readers: int = 0) -> IngestReport:
    """Ingest into the memory at `place`, made if there is none, with a model of one's own. Raises SystemExit when a file
    fails."""
    store = Store.open(place) if place.exists() else Store.create(place, model.name, model.fingerprint, model.config.state_shape)
    with store.writer() as writer:
        report = Ingest(store, writer, model, readers=readers).run(corpus)
    store.close()
    if report.failed:
        raise SystemExit(f"not ingested: {report.failed[0]}")
    return report


class Resampled:
    """A model that encodes `budget` tokens, and every document whose text `always` says yes to; the states of others are
    drawn from those of the former."""

    def __init__(self, model: Any, budget: int, always: Callable[[str], bool] = lambda text: False, seed: int = 5):
        self.model, self.budget, self.always = model, budget, always
        self.encoded = self.resampled = 0
        self.seconds = 0.0
        self._pool: dict[int, list[DocumentStates]] = defaultdict(list)
        self._random = random.Random(seed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def encode_documents(self, documents: list[tuple[str, str]]) -> list[DocumentStates]:
        real = [i for i, (_, text) in enumerate(documents) if self.encoded < self.budget or self.always(text)]
        began = time.perf_counter()
        states = dict(zip(real, self.model.encode_documents([documents[i] for i in real]), strict=True)) if real else {}
        self.seconds += time.perf_counter() - began
        self.encoded += sum(s.n_tokens for s in states.values())
        for i, made in states.items():
            if not self.always(documents[i][1]):
                self._pool[made.keys.shape[1]].append(made)
        rest = [i for i in range(len(documents)) if i not in states]
        for i, row in zip(rest, self.model.inputs.documents([documents[i] for i in rest]), strict=True):
            states[i] = self._drawn(len(row))
            self.resampled += len(row)
        return [states[i] for i in range(len(documents))]

    def _drawn(self, n_tokens: int) -> DocumentStates:
        chunks = -(-n_tokens // self.model.config.router.pooling_kernel_size)
        drawn = self._random.choice(self._pool[chunks] or self._longer(chunks))
        keys = drawn.router_keys[:, :chunks] + NOISE * torch.randn_like(drawn.router_keys[:, :chunks])
        keys = torch.nn.functional.normalize(keys, dim=-1)
        return replace(drawn, router_keys=keys, keys=drawn.keys[:, :chunks], values=drawn.values[:, :chunks], n_tokens=n_tokens)

    def _longer(self, chunks: int) -> list[DocumentStates]:
        return next(self._pool[n] for n in sorted(self._pool) if n >= chunks and self._pool[n])
