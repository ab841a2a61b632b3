"""Soft labels from a teacher that has been trained, for contexts drawn anew.

    python -m training.teach TEACHER_FOLDER STUDENT_FOLDER SAMPLES.jsonl TAUGHT.jsonl [--config ...] --steps 400:1400

Goes through the samples as `training.train_teacher` does, from one step to another (windows and company are drawn for each step
anew), and adds a line for each context to TAUGHT.jsonl (`training/taught.py`).
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
from rich.progress import track

from training.batches import Collator
from training.taught import taught_rows
from training.teacher import load_teacher
from training.train import load
from training.train_teacher import TeachingStep, drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("teacher", type=Path)
    parser.add_argument("student", type=Path)
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "teacher.json")
    parser.add_argument("--steps", required=True, help="first:last, the last not included")
    args = parser.parse_args()
    settings = json.loads(args.config.read_text())
    _, inputs = load(args.student)
    model = load_teacher(args.teacher, inputs.tokenizer).eval()
    samples, collate = drawn(args.samples, settings), Collator(inputs, settings)
    step_of, size = TeachingStep(model, inputs, settings, None), settings["batch_size"]
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
