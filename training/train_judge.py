"""Stage R4: whether the evidence says yes, no, or nothing, learned beside the reader, which stays as it is.

    torchrun --nproc-per-node 2 -m training.train_judge MODEL QA_FOLDER TEXT_FOLDER OUT [--config training/configs/judge.json] [--bf16]

Only the judge's adapter and head learn. Questions of the yes/no sets, whole passages (a cut one may no longer say it), and questions
that `judged_questions.py`, `rule_questions.py` and `made_hops.py` make. Prints per validation set how often a yes ranks above a
no, and how often the more likely of the two is right.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from benchmarks.sets import load, read_lines
from engine.model.encoder import MSAEncoder, low_rank_adapter
from engine.model.heads import JUDGEMENTS, Judge
from engine.model.inputs import EncoderInputs
from training import train as training
from training.judged_questions import judged_samples
from training.made_hops import hop_samples
from training.prepare import samples_of
from training.rule_questions import rule_samples
from training.step import padded

MOST_PASSAGES = 3
GROUP = 2


def samples(qa: Path, text: Path, settings: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    """{"set", "question", "kind", "golds", "negatives"}, `kind` yes, no or unsaid; those of people as often as asked for."""
    found = []
    for name, times in settings["sets"].items():
        asked = [s for s in samples_of(qa, name, 100_000, rng) if s["kind"] in ("yes", "no")]
        found += asked * times
    made = []
    for make, key in ((judged_samples, "judged_questions"), (rule_samples, "rule_questions"), (hop_samples, "hop_questions")):
        for file, wanted in settings[key].items():
            records = read_lines(text / f"{file}.jsonl.xz")
            made += [s for s in make(islice(records, settings["skip"].get(file, 0), None), wanted, rng) if s["kind"] in JUDGEMENTS]
    found += made
    rng.shuffle(found)
    return found


def context(sample: dict[str, Any], settings: dict[str, Any], rng: random.Random) -> tuple[str, list[tuple[str, str]], int]:
    """(question, passages, judgement): sometimes passages that do not say it, or one more beside those that do."""
    golds = [(g["title"], g["text"]) for g in rng.sample(sample["golds"], len(sample["golds"]))[:MOST_PASSAGES]]
    wrong = [(n["title"], n["text"]) for n in sample["negatives"]]
    rng.shuffle(wrong)
    if wrong and rng.random() < settings["unsaid"]:
        return sample["question"], wrong[: rng.choice((1, 1, 2))], 0
    if wrong and rng.random() < settings["beside"]:
        golds = rng.sample([*golds, wrong[0]], len(golds) + 1)
    return sample["question"], golds, JUDGEMENTS.index(sample["kind"])


def judged(model: MSAEncoder, inputs: EncoderInputs, contexts: list[tuple[str, list[tuple[str, str]], int]]) -> torch.Tensor:
    """Logits [B, 3] over JUDGEMENTS, in groups of like length."""
    rows = [inputs.active(question, passages) for question, passages, _ in contexts]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    out: dict[int, torch.Tensor] = {}
    for begin in range(0, len(order), GROUP):
        picked = order[begin : begin + GROUP]
        logits = model.judge_reading(*padded([rows[i] for i in picked], model.norm.weight.device))
        out.update(zip(picked, logits.float(), strict=True))
    return torch.stack([out[i] for i in range(len(rows))])


@torch.no_grad()
def measured(model: MSAEncoder, inputs: EncoderInputs, asked: dict[str, list]) -> dict[str, list[float]]:
    """Per set: questions, share of (yes, no) pairs ranked right, right by the likelier of the two, and held to say nothing."""
    model.eval()
    told = {}
    for name, contexts in asked.items():
        logits = torch.cat([judged(model, inputs, contexts[i : i + 8]) for i in range(0, len(contexts), 8)])
        truth = torch.tensor([c[2] for c in contexts])
        margin = logits[:, 1] - logits[:, 2]
        yes, no = margin[truth == 1], margin[truth == 2]
        pairs = (yes[:, None] > no[None]).float().mean() if len(yes) and len(no) else torch.tensor(0.5)
        right = ((margin > 0) == (truth == 1))[truth > 0].float().mean()
        unsaid = (logits.argmax(1) == 0).float()
        told[name] = [len(contexts), *(round(100 * float(x), 1) for x in (pairs, right, unsaid.mean()))]
    model.train()
    return told


def valid(qa: Path, text: Path, settings: dict[str, Any]) -> dict[str, list]:
    asked: dict[str, list] = defaultdict(list)
    for name in settings["valid"]:
        questions, passages = load(qa, name, 400, 0)
        texts = {p["id"]: (p["title"], p["text"]) for p in passages}
        for q in questions:
            if q.kind == "yesno" and q.answers[0].lower() in ("yes", "no"):
                golds = [texts[g] for g in q.golds if g in texts][:MOST_PASSAGES]
                asked[name].append((q.question, golds, JUDGEMENTS.index(q.answers[0].lower())))
    for file in settings["judged_questions"]:
        made = judged_samples(islice(read_lines(text / f"{file}.jsonl.xz"), settings["skip"][file]), 15, random.Random(1))
        asked["made"] += [(s["question"], [(g["title"], g["text"]) for g in s["golds"]], JUDGEMENTS.index(s["kind"])) for s in made]
    return asked


def with_judge(folder: Path, rank: int, out: Path) -> tuple[MSAEncoder, EncoderInputs]:
    """The model of the folder with an untrained judge; OUT gets its configuration."""
    raw = json.loads((folder / "config.json").read_text(encoding="utf-8")) | {"judge_rank": rank}
    model, inputs = training.load(folder)
    model.config = type(model.config).from_dict(raw)
    if model.judge is None:
        model.judge_adapter = low_rank_adapter(model.config, model.config.reader_layers, rank)
        model.judge = Judge(model.config)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(raw, indent=2) + "\n", encoding="utf-8")
    for name in ("tokenizer.json", "policy.json"):
        if (folder / name).exists():
            (out / name).write_bytes((folder / name).read_bytes())
    return model, inputs


def run(model: MSAEncoder, inputs: EncoderInputs, rows: list[dict[str, Any]], asked: dict[str, list], settings: dict[str, Any], out: Path, bf16: bool) -> None:
    model.requires_grad_(False)
    learning = [*model.judge_adapter.requires_grad_(True).parameters(), *model.judge.requires_grad_(True).parameters()]
    optimizer = torch.optim.AdamW(learning, lr=settings["lr"], weight_decay=settings["weight_decay"])
    training.add_dropout(model, settings["dropout"])
    model.train()
    torch.set_flush_denormal(True)
    size, steps, sums, clock = settings["batch_size"], settings["steps"], [], time.perf_counter()
    for step in range(steps):
        rng = random.Random(settings["seed"] * 1_000_003 + step)
        torch.manual_seed(settings["seed"] * 1_000_003 + step)
        batch = training._share([context(rows[(step * size + i) % len(rows)], settings, rng) for i in range(size)])
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = judged(model, inputs, batch)
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor([c[2] for c in batch]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        training._average_gradients(model)
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = settings["lr"] * training.schedule(step, steps, settings["warmup"])
        optimizer.step()
        sums.append(float(loss.detach()))
        if (step + 1) % settings["log_every"] == 0 and not training._rank():
            print(json.dumps({"step": step + 1, "seconds": round(time.perf_counter() - clock), "loss": round(sum(sums) / len(sums), 4)}), flush=True)
            sums, clock = [], time.perf_counter()
        if ((step + 1) % settings["save_every"] == 0 or step + 1 == steps) and not training._rank():
            training.save(model, out, out)
            print(json.dumps({"step": step + 1, "valid": measured(model, inputs, asked)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("qa", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "judge.json")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--bf16", action="store_true")
    args = parser.parse_args()
    settings = json.loads(args.config.read_text())
    settings["steps"] = args.steps or settings["steps"]
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("gloo")
        torch.set_num_threads(1)
    torch.manual_seed(settings["seed"])
    model, inputs = with_judge(args.model, settings["rank"], args.out)
    rows = samples(args.qa, args.text, settings, random.Random(settings["seed"]))
    if not training._rank():
        print(json.dumps({"samples": len(rows), "sets": {s: sum(r["set"] == s for r in rows) for s in sorted({r["set"] for r in rows})}}), flush=True)
    run(model, inputs, rows, valid(args.qa, args.text, settings), settings, args.out, args.bf16)


if __name__ == "__main__":
    main()
