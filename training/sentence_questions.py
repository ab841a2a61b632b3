"""Questions whose answering sentence is known and whose words are not: a trained reader marks them in the sentence.

    python -m training.sentence_questions MODEL_FOLDER QA_FOLDER OUT.jsonl [--least 0.5]

Reads the reqa_squad pairs of question and sentence. What a reader points at inside one short sentence is right more
often than what it points at in a passage, so its surer labels teach it; the sentence is put among others that share
words with the question.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.sets import read_lines
from engine.model.encoder import MSAEncoder
from engine.model.inputs import EncoderInputs
from training.prepare import Lexical
from training.step import padded
from training.train import load

LONGEST = 16
GROUP = 16
NEIGHBOURS = 3


@torch.no_grad()
def marked(model: MSAEncoder, inputs: EncoderInputs, pairs: list[tuple[str, str]]) -> Iterator[tuple[int, int, float]]:
    """(start, stop, probability) of the likeliest characters of each (question, sentence), in the order given."""
    rows = [inputs.active(question, [("", sentence)]) for question, sentence in pairs]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    found: dict[int, tuple[int, int, float]] = {}
    for begin in range(0, len(order), GROUP):
        picked = order[begin : begin + GROUP]
        ids, mask, segments = padded([rows[i] for i in picked], model.norm.weight.device)
        reading = model.heads.read(model.active(model.encode_reading(ids, mask, segments), mask, [None]))
        for i, start, end in zip(picked, reading.start, reading.end, strict=True):
            found[i] = _best(rows[i].places, start, end)
    return (found[i] for i in range(len(rows)))


def _best(places: dict[int, tuple[int, int, int]], start: torch.Tensor, end: torch.Tensor) -> tuple[int, int, float]:
    """Place 0 stands for "not here" and takes its share of the probability."""
    at = sorted(places)
    among = torch.tensor([0, *at])
    starts, ends = start[among].softmax(0), end[among].softmax(0)
    joint = (starts[1:, None] * ends[None, 1:]).triu().tril(LONGEST - 1)
    first, last = divmod(int(joint.argmax()), len(at))
    return places[at[first]][1], places[at[last]][2], float(joint[first, last])


def sentence_samples(model_folder: Path, qa: Path, least: float, rng: random.Random) -> Iterator[dict[str, Any]]:
    sentences = {c["id"]: c for c in read_lines(qa / "reqa_squad.contexts.jsonl.xz")}
    questions = list(read_lines(qa / "reqa_squad.train.questions.jsonl.xz"))
    model, inputs = load(model_folder)
    gold = [next(c["id"] for c in q["contexts"] if c["gold"]) for q in questions]
    pairs = [(q["question"], sentences[i]["text"]) for q, i in zip(questions, gold, strict=True)]
    lexical = Lexical(sentences)
    for (question, sentence), own, (start, stop, probability) in zip(
        pairs, gold, marked(model.eval(), inputs, pairs), strict=True
    ):
        if probability < least:
            continue
        near = [i for i in lexical.near(question, 3 * NEIGHBOURS) if i != own]
        others = [sentences[i]["text"] for i in near if sentence[start:stop] not in sentences[i]["text"]]
        beside = rng.sample(others, min(len(others), rng.randrange(NEIGHBOURS + 1)))
        place = rng.randrange(len(beside) + 1)
        text = " ".join([*beside[:place], sentence, *beside[place:]])
        offset = sum(len(b) + 1 for b in beside[:place])
        golds = [{"title": "", "text": text, "spans": [[offset + start, offset + stop]]}]
        negatives = [{"title": "", "text": t} for t in others if t not in beside][:2]
        yield {"set": "reqa_squad", "question": question, "kind": "span", "golds": golds, "negatives": negatives}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("qa", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--least", type=float, default=0.5, help="probability from which a label is taken")
    args = parser.parse_args()
    samples = list(sentence_samples(args.model, args.qa, args.least, random.Random(33)))
    with args.out.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(s, ensure_ascii=False) + "\n" for s in samples)
    print(f"{len(samples)} samples -> {args.out}")


if __name__ == "__main__":
    main()
