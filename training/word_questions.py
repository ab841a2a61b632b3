"""Stage G1: a small language model, tuned on the training questions, words questions to passages that have none.

    python -m training.word_questions examples QA_FOLDER EXAMPLES.jsonl.xz
    python -m training.word_questions word MODEL.gguf EXAMPLES.jsonl.xz PASSAGES.jsonl.xz OUT.jsonl [--tune 70 --word 120]

`examples` takes what people asked: {"set", "title", "text", "answer", "question"}. `word` tunes the model on them, passage
first, then a token for the set (its style), the answer, the question; then it picks answers and words questions for the passages of
training.passages in every set's style. Both are bounded in seconds, the learning rate falls with the time. An answer that
does not stand in its passage is dropped here; whether the rest can be answered is training.keep_questions' business.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional as F

from benchmarks.sets import read_lines
from training.batches import window
from training.generator import Generator, from_gguf

STYLES = {"squad": 3, "nq": 4, "covidqa": 5, "policyqa": 6, "fairytaleqa": 7, "tatqa_text": 8, "conditionalqa": 9, "qamr": 10}
"""Set -> the reserved token that stands for it."""
SETS = {"squad": "squad", "nq_gold": "nq", "qed": "nq", "multispanqa": "nq", "covidqa": "covidqa", "policyqa": "policyqa"} | {
    "fairytaleqa": "fairytaleqa", "tatqa_text": "tatqa_text", "conditionalqa": "conditionalqa", "qamr": "qamr"
}
MOST_QAMR = 2500
WORDED = ("squad", "squad", "nq", "covidqa", "policyqa", "fairytaleqa", "tatqa_text", "conditionalqa")
"""Styles of one passage's questions."""
STOP = 2
PROMPT, CONTINUED = 360, 72
LEAST_WORDS = 4


def examples(folder: Path, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Questions with one gold passage in which the answer stands, each with a window of the passage."""
    for name, style in SETS.items():
        passages = {c["id"]: c for c in read_lines(folder / f"{name}.contexts.jsonl.xz")}
        questions = list(read_lines(folder / f"{name}.train.questions.jsonl.xz"))
        rng.shuffle(questions)
        for question in questions[: MOST_QAMR if name == "qamr" else None]:
            golds = [c for c in question["contexts"] if c["gold"] and c.get("spans") and c["id"] in passages]
            if len(golds) != 1:
                continue
            passage = {**passages[golds[0]["id"]], "spans": golds[0]["spans"][:1]}
            kept = window(passage, {"passage_characters": [600, 1300]}, rng)
            if kept["spans"]:
                answer = kept["text"][slice(*kept["spans"][0])]
                yield {"set": style, "title": kept["title"], "text": kept["text"], "answer": answer, "question": question["question"]}


def prompts(tokenizer: Tokenizer, passages: list[dict[str, Any]]) -> list[list[int]]:
    return [e.ids[:PROMPT] for e in tokenizer.encode_batch([f"{p['title']}\n{p['text']}\n" for p in passages])]


def targets(tokenizer: Tokenizer, rows: list[dict[str, Any]]) -> list[list[int]]:
    said = [" " + " ".join(r["answer"].split()) + "\n" + " ".join(r["question"].split()) for r in rows]
    return [[STYLES[r["set"]], *e.ids, STOP] for r, e in zip(rows, tokenizer.encode_batch(said), strict=True)]


def padded(rows: list[list[int]], device: torch.device) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(r) for r in rows], batch_first=True).to(device)


def tune(model: Generator, tokenizer: Tokenizer, rows: list[dict[str, Any]], seconds: float, size: int, rate: float) -> None:
    """Next-token cross-entropy on answers and questions, one pass or as far as `seconds` reach."""
    device = model.token_embd.weight.device
    asked, said = prompts(tokenizer, rows), targets(tokenizer, rows)
    order = sorted(range(len(rows)), key=lambda i: len(asked[i]) + len(said[i]) + 20 * random.random())
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    random.shuffle(batches)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.01, fused=device.type == "cuda")
    start, losses = time.perf_counter(), []
    for step, picked in enumerate(batches):
        done = max((time.perf_counter() - start) / seconds, step / len(batches))
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 30) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))
        ids = padded([asked[i] + said[i] for i in picked], device)
        labelled = torch.zeros_like(ids, dtype=torch.bool)
        for j, i in enumerate(picked):
            labelled[j, len(asked[i]) : len(asked[i]) + len(said[i]) - 1] = True
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            states = model(ids)[0][labelled]
            logits = model.logits(states).float()
        loss = F.cross_entropy(logits, ids[:, 1:][labelled[:, :-1]])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.detach())
        if (step + 1) % 50 == 0:
            mean = float(torch.stack(losses[-50:]).mean())
            print(json.dumps({"step": step + 1, "of": len(batches), "seconds": round(time.perf_counter() - start, 1), "loss": round(mean, 4)}), flush=True)


def worded(
    model: Generator, tokenizer: Tokenizer, passages: list[dict[str, Any]], seconds: float, size: int
) -> Iterator[dict[str, Any]]:
    """{"passage": index, "set": style, "answers": spans in its text, "question"}, in an order that stops anywhere without bias."""
    device = model.token_embd.weight.device
    asked = prompts(tokenizer, passages)
    order = sorted(range(len(passages)), key=lambda i: len(asked[i]))
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    random.shuffle(batches)
    start = time.perf_counter()
    for picked in batches:
        if time.perf_counter() - start > seconds:
            return
        first = torch.tensor([[STYLES[s] for s in WORDED]] * len(picked), device=device)
        lengths = torch.tensor([len(asked[i]) for i in picked], device=device)
        tokens = model.sample(padded([asked[i] for i in picked], device), lengths, first, CONTINUED, STOP, 40, 0.9).tolist()
        for i, samples in zip(picked, tokens, strict=True):
            said = tokenizer.decode_batch([t[: t.index(STOP)] if STOP in t else [] for t in samples], skip_special_tokens=False)
            seen = set()
            for style, text in zip(WORDED, said, strict=True):
                answer, _, question = (part.strip() for part in text.partition("\n"))
                spans = places(answer, passages[i]["text"])
                if spans and question.lower() not in seen and fit(question, answer):
                    seen.add(question.lower())
                    yield {"passage": i, "set": style, "spans": spans, "question": question}


def places(answer: str, text: str) -> list[list[int]]:
    """Where the answer stands as whole words, blanks aside."""
    if not answer:
        return []
    pattern = r"\s+".join(map(re.escape, answer.split()))
    return [[m.start(), m.end()] for m in re.finditer(rf"(?<!\w){pattern}(?!\w)", text)][:4]


def fit(question: str, answer: str) -> bool:
    return LEAST_WORDS <= len(question.split()) <= 40 and "\n" not in question and not places(answer.lower(), question.lower())


def word(args: argparse.Namespace) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    clock = time.perf_counter()

    def told(what: str, **more: Any) -> None:
        print(json.dumps({"done": what, "seconds": round(time.perf_counter() - clock, 1), **more}), flush=True)

    random.seed(args.seed)
    torch.manual_seed(args.seed)
    model, tokenizer = from_gguf(args.model)
    model.to(device)
    rows, passages = list(read_lines(args.examples)), list(read_lines(args.passages))
    random.shuffle(rows)
    told("loaded", examples=len(rows), passages=len(passages))
    tune(model, tokenizer, rows[: args.most], args.tune, args.batch, args.rate)
    told("tuned")
    model.to(torch.bfloat16 if device == "cuda" else torch.float32).requires_grad_(False)
    with args.out.open("w", encoding="utf-8") as out:
        count = 0
        for count, row in enumerate(worded(model, tokenizer, passages, args.word, args.prompts), 1):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    told("worded", questions=count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, dest="command")
    take = commands.add_parser("examples")
    take.add_argument("qa", type=Path)
    take.add_argument("out", type=Path)
    make = commands.add_parser("word")
    for name in ("model", "examples", "passages", "out"):
        make.add_argument(name, type=Path)
    make.add_argument("--tune", type=float, default=70, help="seconds")
    make.add_argument("--word", type=float, default=120, help="seconds")
    make.add_argument("--rate", type=float, default=3e-4)
    make.add_argument("--batch", type=int, default=64)
    make.add_argument("--prompts", type=int, default=512, help="passages worded at once")
    make.add_argument("--most", type=int, help="examples at most")
    make.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.command == "word":
        word(args)
        return
    with lzma.open(args.out, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in examples(args.qa, random.Random(1)))


if __name__ == "__main__":
    main()
