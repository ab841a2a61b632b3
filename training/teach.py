"""Soft labels from a teacher that has been trained, for contexts drawn anew.

    python -m training.teach TEACHER_FOLDER STUDENT_FOLDER SAMPLES.jsonl TAUGHT.jsonl [--config ...] --steps 400:1400 [--mined]

Goes through the samples as `training.train_teacher` does, from one step to another (windows and company are drawn for each step
anew), and adds a line for each context to TAUGHT.jsonl (`training/taught.py`). With `--mined` the samples are those of
`training.mine`, and a sample's contexts are its passage and those that the memory confuses with it.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

import torch
from rich.progress import track

from benchmarks.sets import read_lines
from engine.model.inputs import EncoderInputs
from training.batches import ActiveLabel, Batch, Collator
from training.groups import Grouping
from training.taught import taught_rows
from training.teacher import load_teacher
from training.train import load
from training.train_teacher import TeachingStep, drawn


class _Mined:
    """Groups of mined passages as a batch of contexts, each for itself: what is not wanted has no answer."""

    def __init__(self, inputs: EncoderInputs, settings: dict[str, Any]):
        self.grouping = Grouping(inputs, settings)

    def __call__(self, samples: list[dict[str, Any]], rng: random.Random) -> Batch:
        batch = Batch()
        for group in self.grouping(samples, rng):
            for i, row in enumerate(group.rows):
                label = ActiveLabel([], [], float(group.enough and i == group.wanted), start=0, end=0)
                if i == group.wanted:
                    label.start, label.end, label.kind = group.start, group.end, group.kind
                batch.reading.append(row)
                batch.reading_labels.append(label)
        return batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("teacher", type=Path)
    parser.add_argument("student", type=Path)
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "teacher.json")
    parser.add_argument("--steps", required=True, help="first:last, the last not included")
    parser.add_argument("--mined", action="store_true", help="SAMPLES hold mined negatives")
    args = parser.parse_args()
    settings = json.loads(args.config.read_text())
    _, inputs = load(args.student)
    model = load_teacher(args.teacher, inputs.tokenizer).eval()
    samples = list(read_lines(args.samples)) if args.mined else drawn(args.samples, settings)
    collate = _Mined(inputs, settings) if args.mined else Collator(inputs, settings)
    step_of = TeachingStep(model, inputs, settings, None)
    size = settings["batch_size"] // (settings["group_size"] if args.mined else 1)
    with args.out.open("a") as file:
        for step in track(range(*map(int, args.steps.split(":")))):
            picked = [samples[(step * size + i) % len(samples)] for i in range(size)]
            batch = collate(picked, random.Random(settings["seed"] * 1_000_003 + step))
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
                step_of.reading(batch)
            for line in taught_rows(batch, step_of.said):
                file.write(json.dumps({"step": step, **line}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
