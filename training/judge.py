"""The judge's questions, and how well it tells yes from no: a head on the reader's states that learns beside all else.

    python -m training.judge samples QA_FOLDER TEXT_FOLDER OUT.jsonl [--config training/configs/judge.json]
    python -m training.judge measure MODEL_FOLDER QA_FOLDER TEXT_FOLDER

`samples` are questions of the yes/no sets, and questions that `judged_questions.py`, `rule_questions.py` and `made_hops.py`
make; training.packed takes their passages whole (a cut one may no longer say it). `measure` prints per validation set how often a
yes ranks above a no, how often the likelier of the two is right, and how often nothing is held to be said.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from benchmarks.sets import load, read_lines
from engine.model.encoder import MSAEncoder
from engine.model.heads import JUDGEMENTS
from engine.model.inputs import EncoderInputs
from training import train as training
from training.judged_questions import judged_samples
from training.made_hops import hop_samples
from training.prepare import samples_of
from training.rule_questions import rule_samples
from training.step import padded

MOST_PASSAGES = 3
GROUP = 2
Asked = tuple[str, list[tuple[str, str]], int]
"""A question, its passages and what they say, an index of JUDGEMENTS."""


def samples(qa: Path, text: Path, settings: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    """{"set", "question", "kind", "golds", "negatives", "judged"}, `kind` yes, no or unsaid; those of people as often as asked for."""
    found = []
    for name, times in settings["sets"].items():
        asked = [s for s in samples_of(qa, name, 100_000, rng) if s["kind"] in ("yes", "no")]
        found += asked * times
    for make, key in ((judged_samples, "judged_questions"), (rule_samples, "rule_questions"), (hop_samples, "hop_questions")):
        for file, wanted in settings[key].items():
            records = read_lines(text / f"{file}.jsonl.xz")
            found += [s for s in make(islice(records, settings["skip"].get(file, 0), None), wanted, rng) if s["kind"] in JUDGEMENTS]
    rng.shuffle(found)
    return [{**sample, "judged": True} for sample in found[: settings["most"]]]


@torch.no_grad()
def judged(model: MSAEncoder, inputs: EncoderInputs, contexts: list[Asked]) -> torch.Tensor:
    """Logits [B, 3] over JUDGEMENTS, in groups of like length."""
    rows = [inputs.active(question, passages) for question, passages, _ in contexts]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    out: dict[int, torch.Tensor] = {}
    for begin in range(0, len(order), GROUP):
        picked = order[begin : begin + GROUP]
        states = model.encode_reading(*padded([rows[i] for i in picked], model.norm.weight.device))
        out.update(zip(picked, model.judge(states[:, 0]).float(), strict=True))
    return torch.stack([out[i] for i in range(len(rows))])


def measured(model: MSAEncoder, inputs: EncoderInputs, asked: dict[str, list[Asked]]) -> dict[str, list[float]]:
    """Per set: questions, share of (yes, no) pairs ranked right, right by the likelier of the two, and held to say nothing."""
    told = {}
    for name, contexts in asked.items():
        logits = judged(model, inputs, contexts)
        truth = torch.tensor([c[2] for c in contexts])
        margin = logits[:, 1] - logits[:, 2]
        yes, no = margin[truth == 1], margin[truth == 2]
        pairs = (yes[:, None] > no[None]).float().mean() if len(yes) and len(no) else torch.tensor(0.5)
        right = ((margin > 0) == (truth == 1))[truth > 0].float().mean()
        unsaid = (logits.argmax(1) == 0).float()
        told[name] = [len(contexts), *(round(100 * float(x), 1) for x in (pairs, right, unsaid.mean()))]
    return told


def valid(qa: Path, text: Path, settings: dict[str, Any]) -> dict[str, list[Asked]]:
    asked: dict[str, list[Asked]] = defaultdict(list)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, dest="command")
    for command, names in (("samples", ("qa", "text", "out")), ("measure", ("model", "qa", "text"))):
        some = commands.add_parser(command)
        for name in names:
            some.add_argument(name, type=Path)
        some.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "judge.json")
    args = parser.parse_args()
    settings = json.loads(args.config.read_text())
    if args.command == "measure":
        model, inputs = training.load(args.model)
        print(json.dumps(measured(model.eval(), inputs, valid(args.qa, args.text, settings))))
        return
    with args.out.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(s, ensure_ascii=False) + "\n" for s in samples(args.qa, args.text, settings, random.Random(settings["seed"])))


if __name__ == "__main__":
    main()
