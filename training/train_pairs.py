"""Stage R4: the backbone that compares questions with documents, learned on one GPU from pairs, as it routes and stays near what it was.

    python -m training.train_pairs START_FOLDER OUT PACKED.safetensors[*TIMES] ... [--seconds 200]

A step takes questions with one of their gold passages each and, where there is one, a passage that does not answer; every question is
compared with all passages of the step (decoupled contrastive loss, arXiv 2603.23516), as routing compares them: a document is its best
chunk, a question the mean of its tokens. The backbone as it was tells how alike questions and passages are, too, so that
what it knew of other texts stays. Word embeddings, router projections and the reader are left alone. Writes what has
changed, in float16, as OUT/changed-N.safetensors.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from engine.model.encoder import MSAEncoder, Stack
from training.flat_forward import Attend, Rows, fastest, through
from training.losses import decoupled_contrastive, similarity_distillation
from training.packed import Packed
from training.train import load
from training.train_reader import falling, save_changed, settled

SETTINGS: dict[str, Any] = {
    "seed": 211, "batch": 640, "lr": 6e-5, "warmup": 60, "temperature": 0.05, "distil": 0.5, "distil_temperature": 0.05, "passage_tokens": [70, 230], "log_every": 50,
}


class Pairs(Dataset):
    """Step number -> (rows of questions and passages, of what the first are questions, which passages answer them [Q, P])."""

    def __init__(self, packed: Packed, times: list[int], settings: dict[str, Any]):
        self.packed, self.settings = packed, settings
        asked = [n for n in range(len(packed.rows)) if packed.row(n)[3] and times[n]]
        self.numbers = np.repeat(asked, [times[n] for n in asked])

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, step: int) -> tuple[Rows, int, Tensor]:
        size, rng = self.settings["batch"], random.Random(self.settings["seed"] * 1_000_003 + step)
        turn, first = divmod(step * size, len(self.numbers) - size)
        order = np.random.default_rng([self.settings["seed"], turn]).permutation(self.numbers)[first : first + size]
        questions, passages, answering = [], {}, []
        for number in order.tolist():
            _, question, _, golds, spans, wrong = self.packed.row(number)
            gold = rng.randrange(len(golds))
            passages.setdefault(golds[gold], spans[gold])
            if wrong:
                passages.setdefault(rng.choice(wrong), (-1, -1))
            questions.append(question)
            answering.append(set(golds))
        rows = [self.question(q) for q in questions] + [self.passage(p, span, rng) for p, span in passages.items()]
        known = torch.tensor([[p in golds for p in passages] for golds in answering])
        return Rows.of(rows), len(questions), known

    def question(self, number: int) -> np.ndarray:
        p = self.packed
        asked = p.questions[p.questions_at[number] : p.questions_at[number + 1]]
        return np.concatenate([[p.cls], asked, [p.sep]])

    def passage(self, number: int, span: tuple[int, int], rng: random.Random) -> np.ndarray:
        """Mostly whole, else a part of a random length that keeps the answer: documents have any length."""
        p = self.packed
        text = p.passages[p.passages_at[number] : p.passages_at[number + 1]]
        if rng.random() < 0.3:
            length = rng.randint(*self.settings["passage_tokens"])
            if length < len(text):
                first, last = span if span[0] >= 0 else (rng.randrange(len(text)),) * 2
                begin = min(max(0, rng.randint(last + 1 - length, first)) if last + 1 - length <= first else first, len(text) - length)
                text = text[begin : begin + length]
        title = p.title_of[number]
        head = p.titles[p.titles_at[title] : p.titles_at[title + 1]]
        return np.concatenate([[p.cls], head, text, [p.sep]])[:256]


def compared(model: MSAEncoder, stack: Stack, rows: Rows, count: int, attend: Attend) -> Tensor:
    """Similarities [Q, P] of the first `count` rows, questions, and the others, by the chunk that is most alike."""
    states = through(stack, model.word_embeddings(rows.ids), rows, attend)
    router, size = model.layers[str(model.config.backbone_layers)], model.config.router.pooling_kernel_size
    # In bf16 a similarity has two digits.
    with torch.autocast(states.device.type, enabled=False):
        h = router.input_layernorm(states.float())
        asked = rows.rows < count
        query = F.normalize(router.self_attn.router_q_proj(h[asked]), dim=-1)
        query = query.new_zeros(count, query.shape[1]).index_add(0, rows.rows[asked], query)
        query = query / (rows.starts[1 : count + 1] - rows.starts[:count])[:, None]
        chunks = (rows.starts.diff()[count:] + size - 1) // size
        before = torch.cat([chunks.new_zeros(1), chunks.cumsum(0)])
        at = before[rows.rows[~asked] - count] + rows.positions[~asked] // size
        key = router.self_attn.router_k_proj(h[~asked])
        key = F.normalize(key.new_zeros(int(before[-1]), key.shape[1]).index_add(0, at, key), dim=-1)
        each = query @ key.T
        owner = torch.repeat_interleave(torch.arange(len(chunks), device=key.device), chunks)
        return each.new_full((count, len(chunks)), -2.0).scatter_reduce(1, owner.expand(count, -1), each, "amax")


def train(model: MSAEncoder, pairs: Pairs, settings: dict[str, Any], seconds: float, attend: Attend, workers: int) -> None:
    device = model.norm.weight.device
    before = deepcopy(model.backbone).requires_grad_(False)
    model.requires_grad_(False)
    learned = list(model.backbone.requires_grad_(True).parameters())
    optimizer = torch.optim.AdamW(learned, lr=settings["lr"], weight_decay=0.01)
    start, sums = time.perf_counter(), []
    for step, (rows, count, known) in enumerate(DataLoader(pairs, batch_size=None, num_workers=workers)):
        done = (time.perf_counter() - start) / seconds
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = settings["lr"] * falling(done, step, settings["warmup"])
        rows, known = rows.to(device), known.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=settings["bf16"]):
            with torch.no_grad():
                taught = compared(model, before, rows, count, attend)
            scores = compared(model, model.backbone, rows, count, attend)
        asked = decoupled_contrastive(scores, known, ~known, settings["temperature"])
        kept = similarity_distillation(scores, taught, settings["distil_temperature"])
        optimizer.zero_grad(set_to_none=True)
        (asked + settings["distil"] * kept).backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        with torch.no_grad():
            hit = [known.gather(1, s.argmax(1, keepdim=True)).float().mean() for s in (taught, scores)]
        sums.append(torch.stack([asked.detach(), kept.detach(), *hit]))
        if (step + 1) % settings["log_every"] == 0:
            mean = torch.stack(sums).mean(0).tolist()
            names = ("contrast", "distance", "first_before", "first")
            line = {"pairs_step": step + 1, "seconds": round(time.perf_counter() - start, 1)} | dict(zip(names, (round(x, 4) for x in mean), strict=True))
            print(json.dumps(line), flush=True)
            sums = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("start", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("packed", nargs="+", help="FILE or FILE*TIMES")
    parser.add_argument("--seconds", type=float, default=200)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--bf16", action="store_true", help="on a CPU too, for one with AVX-512 BF16")
    parser.add_argument("--set", nargs="*", default=[], help="KEY=VALUE in place of the settings'")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    settings = settled(SETTINGS, args.set, args.bf16)
    torch.manual_seed(settings["seed"])
    model, inputs = load(args.start)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    files = [name.partition("*")[::2] for name in args.packed]
    packed = Packed([Path(name) for name, _ in files], {}, inputs)
    times = [int(t or 1) for size, (_, t) in zip(packed.sizes, files, strict=True) for _ in range(size)]
    model.to(device)
    train(model, Pairs(packed, times, settings), settings, args.seconds, fastest(device), args.workers)
    save_changed(model, before, args.out)


if __name__ == "__main__":
    main()
