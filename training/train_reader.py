"""Stage G4: the reader learned on one GPU from packed samples, many contexts a step, bounded in seconds.

    python -m training.train_reader START_FOLDER JOINT.jsonl.xz OUT PACKED.safetensors ... [--config training/configs/reader_gpu.json] [--seconds 300]

Notable choices: the learning rate falls with the share of the time or of the steps that is gone, whichever is larger, so a run ends
annealed when its time does; the reader's layers may be more than the starting model's (copies of its own); in the last part of the run the
weights that ship in 6 bits are read as they will ship and corrected as they are. Every `joint_every` steps one of training.step over samples of
JOINT, pooled memory in sight. The judge learns from the same states. Routing is left alone. Writes what has
changed, in float16, as OUT/changed-N.safetensors; `python -m training.changed` puts it together with the start again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from benchmarks.sets import read_lines
from engine.model.checkpoint import in_six_bits, quantised
from engine.model.encoder import MSAEncoder, Stack
from engine.model.heads import Judge
from engine.model.inputs import EncoderInputs
from training import losses
from training.batches import IGNORED, Collator
from training.dropout import add_dropout
from training.flat_forward import Attend, fastest, states
from training.packed import Flat, Packed, PackedSteps, Worded
from training.step import Step
from training.train import load, optimizer_of

SHARD = 15 << 20
LEAST = 0.02


def deepened(model: MSAEncoder, copied: list[int]) -> None:
    """The reader's layers become those numbered `copied`, in this order, a layer perhaps more than once; a judge is added where there is none."""
    config = type(model.config)(**{**vars(model.config), "reader_layers": len(copied), "judge": True})
    stack, old = Stack(config, len(copied)), model.reader.state_dict()
    taken = {k: v for k, v in old.items() if not k.startswith("layers.")}
    for to, of in enumerate(copied):
        taken |= {k.replace(f"layers.{of}.", f"layers.{to}.", 1): v for k, v in old.items() if k.startswith(f"layers.{of}.")}
    stack.load_state_dict(taken)
    model.reader, model.config = stack, config
    model.judge = model.judge or Judge(config)


def pointed(model: MSAEncoder, batch: Flat, after: Tensor) -> Tensor:
    """-log of the shares of the answer's start and end [G, 2], over all places of a group and nowhere, whose odds are 0."""
    logits = F.linear(after.float(), model.heads.span.weight, model.heads.span.bias)
    odds = (logits - logits[batch.starts[:-1]][batch.rows]).masked_fill(~batch.places[:, None], -1e4)
    to = batch.groups[:, None].expand(-1, 2)
    most = odds.new_zeros(len(batch.at), 2).scatter_reduce(0, to, odds.detach(), "amax")
    total = (-most).exp().index_add(0, batch.groups, (odds - most[batch.groups]).exp()).log() + most
    return total - odds.gather(0, batch.answer.clamp_min(0)).masked_fill(batch.answer < 0, 0.0)


def read(model: MSAEncoder, batch: Flat, attend: Attend) -> dict[str, Tensor]:
    """Losses of groups of contexts read without memory (losses.pointed_among and wanted_among, for all groups at once)."""
    before, after = states(model, batch, attend)
    first = batch.starts[:-1]
    heads = after[first].float()
    relevance = model.heads.relevance(heads)[:, 0][batch.members.clamp_min(0)].masked_fill(batch.members < 0, -1e4)
    relevance = torch.cat([relevance, relevance.new_zeros(len(relevance), 1)], 1)
    with torch.autocast(heads.device.type, enabled=False):
        off = pointed(model, batch, after)
    return {
        "span": off[batch.answer[:, 0] != IGNORED].mean(),
        "enough": losses.enough(model.heads.enough(heads)[:, 0], batch.enough),
        "wanted": F.cross_entropy(relevance.float(), batch.wanted, ignore_index=IGNORED),
        "kind": F.cross_entropy(model.heads.kind(heads[batch.at]).float(), batch.kind, ignore_index=IGNORED),
        "judge": F.cross_entropy(model.judge(before[first[batch.at]]).float(), batch.judgement, ignore_index=IGNORED),
    }


@torch.no_grad()
def unlikely(model: MSAEncoder, packed: Packed, settings: dict[str, Any], attend: Attend, workers: int) -> list[int]:
    """Worded questions whose answer the model as it is gives a log-probability under `least_likely`."""
    device = model.norm.weight.device
    asked = Worded(packed, 256)
    dropped = []
    model.eval()
    for numbers, batch in zip(asked.numbers, DataLoader(asked, batch_size=None, num_workers=workers), strict=True):
        batch = batch.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=settings["bf16"]):
            after = states(model, batch, attend)[1]
        chance = -pointed(model, batch, after).sum(1)
        dropped += [n for n, c, a in zip(numbers, chance.tolist(), batch.answer[:, 0].tolist(), strict=True) if c < settings["least_likely"] or a < 0]
    return dropped


@contextmanager
def as_shipped(model: MSAEncoder, active: bool) -> Iterator[None]:
    """Inside, weights that ship in 6 bits have their shipped values; gradients reach the exact ones (straight through)."""
    exact = {}
    if active:
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if weight.requires_grad and in_six_bits(name, weight):
                    exact[weight] = weight.detach().clone()
                    q, scale = quantised(weight.detach(), 31)
                    weight.copy_(q * scale[:, None])
    yield
    with torch.no_grad():
        for weight, value in exact.items():
            weight.copy_(value)


def settled(settings: dict[str, Any], others: list[str], bf16: bool) -> dict[str, Any]:
    """Settings with KEY=VALUE `others` in place of theirs, and whether to read in bf16: on a GPU always."""
    return settings | {k: json.loads(v) for k, v in (s.split("=", 1) for s in others)} | {"bf16": bf16 or torch.cuda.is_available()}


def share_done(step: int, seconds: float, settings: dict[str, Any]) -> float:
    return max(step / settings["steps"], seconds / settings["seconds"])


def falling(done: float, step: int, warmup: int) -> float:
    return min(1.0, (step + 1) / warmup) * (LEAST + (1 - LEAST) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def train(
    model: MSAEncoder, inputs: EncoderInputs, packed: Packed, samples: list[dict[str, Any]], settings: dict[str, Any], out: Path, attend: Attend, workers: int
) -> None:
    device = model.norm.weight.device
    optimizer = optimizer_of(model, settings)
    add_dropout(model, settings["dropout"])
    model.train()
    joint = Step(model, inputs, {**settings, "batch_size": settings["joint_size"]}, None)
    collate, rng = Collator(inputs, settings), random.Random(settings["seed"])
    loader = DataLoader(
        PackedSteps(packed, settings), batch_size=None, num_workers=workers, prefetch_factor=6 if workers else None, pin_memory=False
    )
    sums: dict[str, list[Tensor]] = {}
    start = mark = time.perf_counter()
    tokens, waited, asked = 0, 0.0, time.perf_counter()
    for step, batch in enumerate(loader):
        waited += time.perf_counter() - asked
        done = share_done(step, time.perf_counter() - start, settings)
        if done >= 1:
            break
        tokens += len(batch.ids)
        batch = batch.to(device)
        with as_shipped(model, done >= settings["shipped_from"]):
            with torch.autocast(device.type, torch.bfloat16, enabled=settings["bf16"]):
                parts = read(model, batch, attend)
                if step % settings["joint_every"] == 0:
                    taken = collate(rng.sample(samples, settings["joint_size"]), rng)
                    parts |= {f"joint_{name}": value for name, value in joint(taken, distil=False).items()}
            # A step without a question of some sort has no loss for it.
            total = sum(settings["weights"].get(name, 0.0) * value.nan_to_num() for name, value in parts.items())
            optimizer.zero_grad(set_to_none=True)
            total.backward()
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], 1.0)
        for group in optimizer.param_groups:
            group["lr"] = group["base"] * falling(done, step, settings["warmup"])
        optimizer.step()
        for name, value in parts.items():
            sums.setdefault(name, []).append(value.detach())
        if (step + 1) % settings["log_every"] == 0:
            now = time.perf_counter()
            line = {"step": step + 1, "seconds": round(now - start, 1), "done": round(done, 3), "waited": round(waited, 1)}
            line["tokens/s"] = round(tokens / (now - mark))
            line |= {name: round(float(torch.stack(values).nanmean()), 4) for name, values in sums.items()}
            with (out / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
            sums, tokens, waited, mark = {}, 0, 0.0, time.perf_counter()
        asked = time.perf_counter()


def save_changed(model: MSAEncoder, before: dict[str, Tensor], out: Path) -> None:
    """What differs from `before`, in float16, in files of at most SHARD bytes."""
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in model.state_dict().items():
        tensor = tensor.detach().cpu()
        if name in before and torch.equal(before[name], tensor):
            continue
        tensor = tensor.half().contiguous()
        if size + tensor.nbytes > SHARD:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    for number, shard in enumerate(shards):
        save_file(shard, out / f"changed-{number}.safetensors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("start", "joint", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("packed", type=Path, nargs="+")
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "reader_gpu.json")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--workers", type=int, default=max(0, (os.cpu_count() or 1) - 4))
    parser.add_argument("--set", nargs="*", default=[], help="KEY=VALUE in place of the configuration's")
    parser.add_argument("--bf16", action="store_true", help="on a CPU too, for one with AVX-512 BF16")
    args = parser.parse_args()
    settings = settled(json.loads(args.config.read_text()), args.set, args.bf16)
    if args.seconds:
        settings["seconds"] = args.seconds
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings["seed"])
    # It plans anew for every shape, and no two steps have the same.
    torch.backends.cuda.enable_cudnn_sdp(False)
    clock = time.perf_counter()
    model, inputs = load(args.start)
    before = {k: v.clone() for k, v in model.state_dict().items() if not k.startswith(("reader.", "judge"))}
    packed = Packed(args.packed, settings, inputs)
    samples = list(read_lines(args.joint))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    attend = fastest(device)
    print(json.dumps({"samples": len(packed.rows), "loaded": round(time.perf_counter() - clock, 1)}), flush=True)
    asked = len(packed.worded())
    dropped = unlikely(model, packed, settings, attend, args.workers)
    packed.drop(dropped)
    print(json.dumps({"worded": asked, "unlikely": len(dropped), "seconds": round(time.perf_counter() - clock, 1)}), flush=True)
    deepened(model, settings["layers"])
    model.to(device)
    train(model, inputs, packed, samples, settings, args.out, attend, args.workers)
    save_changed(model, before, args.out)
    print(json.dumps({"saved": round(time.perf_counter() - clock, 1)}), flush=True)


if __name__ == "__main__":
    main()
