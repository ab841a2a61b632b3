"""Stage 2: train all heads and the backbone together.

    python -m training.train START_FOLDER SAMPLES.jsonl OUT [--config ...] [--steps N] [--resume]

Writes OUT/model.safetensors (with config and tokenizer, so that any checkpoint loads as a model), OUT/optimizer.pt
and one JSON line of losses every `log_every` steps to OUT/log.jsonl. Seeded; `--resume` goes on where it stopped.
Under `torchrun --nproc-per-node 2 -m training.train ...` each process takes its part of every step: on two cores two
processes of one thread read almost three times as many questions a second as one process of two threads.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch.utils.data import DataLoader, Dataset

from benchmarks.sets import read_lines
from engine.model.checkpoint import load_tensors
from engine.model.config import ModelConfig
from engine.model.encoder import MSAEncoder
from engine.model.inputs import EncoderInputs
from training.batches import Batch, Collator
from training.dropout import add_dropout
from training.groups import Group, Grouping
from training.step import Step


def load(folder: Path) -> tuple[MSAEncoder, EncoderInputs]:
    config = ModelConfig.load(folder)
    model = MSAEncoder(config)
    model.load_state_dict(load_tensors(folder))
    return model, EncoderInputs(Tokenizer.from_file(str(folder / "tokenizer.json")), config)


def save(model: MSAEncoder, start: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, out / "next.safetensors")
    (out / "next.safetensors").replace(out / "model.safetensors")
    for name in ("config.json", "tokenizer.json"):
        if start.resolve() != out.resolve():
            shutil.copy(start / name, out / name)


def optimizer_of(model: MSAEncoder, settings: dict[str, Any]) -> torch.optim.Optimizer:
    """A learning rate for each part; word embeddings stay as they were, and so does what has a rate of zero."""
    model.word_embeddings.requires_grad_(False)
    model.backbone.requires_grad_(settings["lr_backbone"] > 0)
    groups: dict[str, list[torch.nn.Parameter]] = {"backbone": [], "reader": [], "new": [], "router": [], "choice": [], "relevance": []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[_group(name)].append(parameter)
    rates = {g: settings.get(f"lr_{g}", settings["lr_choice"]) for g in groups}
    return torch.optim.AdamW(
        [{"params": groups[g], "lr": rates[g], "base": rates[g]} for g in groups],
        weight_decay=settings["weight_decay"],
    )


def routes(name: str) -> bool:
    """Parameters of an MSA layer that routing goes through."""
    return "router_" in name or "input_layernorm" in name


def _group(name: str) -> str:
    if routes(name):
        return "router"
    if name.startswith(("heads.document.", "heads.enough.")):
        return "choice"
    if name.startswith("heads.relevance."):
        return "relevance"
    stack = name.partition(".")[0]
    return stack if stack in ("backbone", "reader") else "new"


def schedule(step: int, steps: int, warmup: int) -> float:
    """Linear warm-up, then a cosine to 5%."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


class Steps(Dataset):
    """Step number -> its batch. Each step has its own randomness, so that a resumed run takes the same steps."""

    def __init__(
        self, samples: list[dict[str, Any]], mined: list[dict[str, Any]], inputs: EncoderInputs, settings: dict[str, Any]
    ):
        self.samples, self.mined, self.settings = samples, mined, settings
        self.collate, self.group = Collator(inputs, settings), Grouping(inputs, settings)

    def __getitem__(self, step: int) -> tuple[int, Batch | list[Group]]:
        rng = random.Random(self.settings["seed"] * 1_000_003 + step)
        if self.mined and step % self.settings["joint_every"] and step % self.settings["group_every"]:
            size = self.settings["groups"]
            taken = [self.mined[(step * size + i) % len(self.mined)] for i in range(size)]
            return step, self.group(_share(taken), rng)
        return step, self.collate(_share(_window(self.samples, step, self.settings)), rng)


def train(
    start: Path,
    samples_file: Path,
    out: Path,
    settings: dict[str, Any],
    resume: bool,
    teacher_folder: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
    bf16: bool = False,
    mined_file: Path | None = None,
) -> None:
    model, inputs = load(out if resume else start)
    model.to(device)
    teacher = load(teacher_folder or start)[0].eval().to(device) if settings["weights"].get("distil") else None
    samples = list(read_lines(samples_file))
    optimizer = optimizer_of(model, settings)
    first = 0
    if resume:
        state = torch.load(out / "optimizer.pt", weights_only=True)
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    if settings.get("dropout"):
        add_dropout(model, settings["dropout"])
    run_step = Step(model, inputs, settings, teacher)
    torch.set_flush_denormal(True)
    steps, every = settings["steps"], settings["joint_every"]
    sums: dict[str, list[torch.Tensor]] = {}
    clock = time.perf_counter()
    model.train()
    mined = list(read_lines(mined_file)) if mined_file else []
    batches = Steps(samples, mined, inputs, settings)
    # Plain batches of Python objects: they travel between processes as they are.
    loader = DataLoader(batches, batch_size=None, sampler=range(first, steps), num_workers=workers, collate_fn=_as_is)
    for step, batch in loader:
        torch.manual_seed(settings["seed"] * 1_000_003 + step)
        joint = step % every == 0
        with torch.autocast(model.norm.weight.device.type, torch.bfloat16, enabled=bf16 or device != "cpu"):
            if not isinstance(batch, Batch):
                parts = run_step.choosing(batch)
            else:
                parts = run_step(batch, distil=step // every % 2 == 0) if joint else run_step.reading(batch)
        total = sum(settings["weights"].get(name, 0.0) * value for name, value in parts.items())
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        _average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = group["base"] * schedule(step, settings["schedule_steps"], settings["warmup"])
        optimizer.step()
        for name, value in parts.items():
            sums.setdefault(name, []).append(value.detach())
        if _rank():
            continue
        if (step + 1) % settings["log_every"] == 0 or step + 1 == steps:
            seconds = time.perf_counter() - clock
            line = {"step": step + 1, "seconds": round(seconds, 1)}
            line.update({name: round(float(sum(values)) / len(values), 4) for name, values in sums.items()})
            out.mkdir(parents=True, exist_ok=True)
            with (out / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
            sums, clock = {}, time.perf_counter()
        if (step + 1) % settings["save_every"] == 0 or step + 1 == steps:
            save(model, start, out)
            torch.save({"optimizer": optimizer.state_dict(), "step": step + 1}, out / "optimizer.pt")


def _as_is(item: Any) -> Any:
    return item


def _window(samples: list[dict[str, Any]], step: int, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The samples of a step: the file is read through in order, joint and reading steps taking their own number."""
    joint, alone = settings["batch_size"], settings["reading_batch_size"]
    every = settings["joint_every"]
    before = step // every * (joint + (every - 1) * alone) + (joint + (step % every - 1) * alone if step % every else 0)
    size = alone if step % every else joint
    begin = (settings["first_sample"] + before) % len(samples)
    return [samples[(begin + i) % len(samples)] for i in range(size)]


def _rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def _share(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """This process's part of a step's samples."""
    return samples[_rank() :: dist.get_world_size()] if dist.is_initialized() else samples


def _average_gradients(model: MSAEncoder) -> None:
    """One all-reduce over all gradients; a parameter this step did not use counts as zero."""
    if not dist.is_initialized():
        return
    used = [p for p in model.parameters() if p.requires_grad]
    flat = torch.cat([torch.zeros(p.numel()) if p.grad is None else p.grad.flatten() for p in used])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for parameter, mean in zip(used, flat.split([p.numel() for p in used]), strict=True):
        if parameter.grad is not None:
            parameter.grad.copy_(mean.view_as(parameter))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("start", type=Path)
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "reader.json")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--teacher", type=Path, help="untouched backbone for distillation (default: START_FOLDER)")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="bf16 but on a CPU")
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare batches")
    parser.add_argument("--bf16", action="store_true", help="bf16 on a CPU too, for one with AVX-512 BF16 (slow on others)")
    parser.add_argument("--mined", type=Path, help="samples with mined negatives (training.mine), read in groups")
    args = parser.parse_args()
    settings = json.loads(args.config.read_text())
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("gloo")
        torch.set_num_threads(1)
    if args.steps:
        settings["steps"] = args.steps
    train(
        args.start, args.samples, args.out, settings, args.resume, args.teacher, args.device, args.workers, args.bf16, args.mined
    )


if __name__ == "__main__":
    main()
