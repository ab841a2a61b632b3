"""Train the larger reader that the shipped one learns from, reading alone.

    python -m training.train_teacher TEACHER_FOLDER STUDENT_FOLDER SAMPLES.jsonl OUT [--config ...] [--resume]

TEACHER_FOLDER is all-mpnet-base-v2 as published, STUDENT_FOLDER any checkpoint of the student (for its token rows). Writes
OUT/model.safetensors, and to OUT/taught.jsonl what it said of every context before it learned from it
(`training/taught.py`): one pass over the samples leaves soft labels of contexts it had not seen.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.sets import read_lines
from training.batches import Collator
from training.step import Step
from training.taught import taught_rows
from training.teacher import TeacherReader, load_teacher, save_teacher
from training.train import load, schedule


def drawn(samples_file: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """As many samples of each set as its quota says, in random order."""
    left = dict(settings["quotas"])
    samples = []
    for sample in read_lines(samples_file):
        if left.get(sample["set"], 0) and sample["kind"] != "none":
            left[sample["set"]] -= 1
            samples.append(sample)
    random.Random(settings["seed"]).shuffle(samples)
    return samples


class TeachingStep(Step):
    """Step.reading that keeps what was said of each context: start and end logits [T], kind logits [3]."""

    def __init__(self, *args):
        super().__init__(*args)
        self.reading_group = 6

    def reading(self, batch):
        self.said: dict[int, tuple] = {}
        self._picked: list[int] = []
        return super().reading(batch)

    def _read(self, rows):
        for picked, mask, states in super()._read(rows):
            self._picked = picked
            yield picked, mask, states

    def _reading_losses(self, states, mask, rows, labels):
        out = self.model.heads.read(states)
        for j, i in enumerate(self._picked):
            self.said[i] = tuple(t[j].detach().float() for t in (out.start, out.end, out.kind))
        return super()._reading_losses(states, mask, rows, labels)


def optimizer_of(model: TeacherReader, settings: dict[str, Any]) -> torch.optim.Optimizer:
    heads = [p for n, p in model.named_parameters() if n.startswith("heads.")]
    rest = [p for n, p in model.named_parameters() if not n.startswith("heads.") and p.requires_grad]
    groups = [{"params": rest, "lr": 0.0, "base": settings["lr"]}, {"params": heads, "lr": 0.0, "base": settings["lr_heads"]}]
    return torch.optim.AdamW(groups, weight_decay=settings["weight_decay"], fused=True)


def train(start: Path, student: Path, samples_file: Path, out: Path, settings: dict[str, Any], resume: bool) -> None:
    torch.manual_seed(settings["seed"])
    _, inputs = load(student)
    model = load_teacher(out if resume else start, inputs.tokenizer)
    optimizer, first = optimizer_of(model, settings), 0
    if resume:
        state = torch.load(out / "optimizer.pt", weights_only=True)
        optimizer.load_state_dict(state["optimizer"])
        model.load_state_dict(state["model"])
        first = state["step"]
    samples, collate = drawn(samples_file, settings), Collator(inputs, settings)
    step_of = TeachingStep(model, inputs, settings, None)
    torch.set_flush_denormal(True)
    model.train()
    out.mkdir(parents=True, exist_ok=True)
    size, clock, sums = settings["batch_size"], time.perf_counter(), []
    print(f"{len(samples)} samples", flush=True)
    for step in range(first, settings["steps"]):
        picked = [samples[(step * size + i) % len(samples)] for i in range(size)]
        batch = collate(picked, random.Random(settings["seed"] * 1_000_003 + step))
        with torch.autocast("cpu", torch.bfloat16):
            parts = step_of.reading(batch)
        total = sum(settings["weights"].get(name, 0.0) * value for name, value in parts.items())
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = group["base"] * schedule(step, settings["schedule_steps"], settings["warmup"])
        optimizer.step()
        with (out / "taught.jsonl").open("a") as file:
            for line in taught_rows(batch, step_of.said):
                file.write(json.dumps({"step": step, **line}, separators=(",", ":")) + "\n")
        sums.append([float(parts[name].detach()) for name in ("span", "kind")])
        if (step + 1) % settings["log_every"] == 0:
            span, kind = (sum(column) / len(sums) for column in zip(*sums, strict=True))
            seconds = time.perf_counter() - clock
            line = json.dumps({"step": step + 1, "seconds": round(seconds, 1), "span": round(span, 3), "kind": round(kind, 3)})
            print(line, flush=True)
            with (out / "log.jsonl").open("a") as log:
                log.write(line + "\n")
            clock, sums = time.perf_counter(), []
        if (step + 1) % settings["save_every"] == 0 or step + 1 == settings["steps"]:
            save_teacher(model, start, out)
            state = {"optimizer": optimizer.state_dict(), "model": model.state_dict(), "step": step + 1}
            torch.save(state, out / "next.pt")
            (out / "next.pt").replace(out / "optimizer.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("start", type=Path)
    parser.add_argument("student", type=Path)
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "teacher.json")
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    train(args.start, args.student, args.samples, args.out, json.loads(args.config.read_text()), args.resume)


if __name__ == "__main__":
    main()
