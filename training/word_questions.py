"""Stage G1: a language model, tuned on questions that people asked and on examples over code and documentation, words questions to passages that have none.

    python -m training.word_questions examples QA_FOLDER TEXT_FOLDER EXAMPLES.jsonl.xz
    python -m training.word_questions word MODEL.gguf EXAMPLES.jsonl.xz PASSAGES.jsonl.xz OUT.jsonl [--tune 50 --word 140]

`examples` takes what people asked and training/exemplars: {"set", "title", "text", "answer", "question"}. `word` tunes the model on
them, in two ways: passage, a token for its style, answer, question; and passage, question, answer. Then it picks answers
and words questions for the passages of training.passages, and says how likely it holds each answer once it is asked the question. Both are
bounded in seconds, the learning rate falls with the time. An answer that does not stand in its passage is dropped here;
what is unlikely, later (training.worded_samples).
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
from training.generator import Drawing, Generator, from_gguf
from training.passages import bundled_counter, passages_of

EXEMPLARS = Path(__file__).parent / "exemplars"
SETS = ("squad", "nq_gold", "qed", "multispanqa", "covidqa", "policyqa", "fairytaleqa", "tatqa_text", "conditionalqa")
PEOPLE = "people"
STYLES = {"code": "<|fim_prefix|>", "docs": "<|fim_middle|>", "prose": "<|fim_pad|>", PEOPLE: "<|repo_name|>"}
"""Who asks -> the token that stands for it and is followed by an answer, then a question. Only tokens that the model learned from are of
use: the others are so alike that it could not tell them apart in a minute."""
ASKED, APART, STOP = "<|file_sep|>", "<|fim_suffix|>", "<|endoftext|>"
"""What is followed by a question and then its answer; what stands between the two; the end."""
WORDED = {
    "code": ["code"] * 8,
    "docs": ["docs"] * 7 + [PEOPLE],
    "books": ["prose"] * 5 + [PEOPLE] * 2 + ["docs"],
    "": ["prose"] * 3 + ["docs"] * 2 + [PEOPLE] * 3,
}
"""Styles of one passage's questions, by the file it is from (its name or what it begins with)."""
MOST = {"squad": 600, "nq_gold": 600}
REPEATED = 2
"""How often an exemplar is told."""
PROMPT, SCORED = 400, 140
HOW = {"most": 64, "before": 1.0, "after": 0.65}
LEAST_WORDS = 4


def style_of(file: str) -> str:
    return "code" if file == "code" else "docs" if file.startswith("docs") else "prose"


def examples(qa: Path, text: Path, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Questions with one gold passage in which the answer stands, each with a window of the passage; and the exemplars."""
    for name in SETS:
        passages = {c["id"]: c for c in read_lines(qa / f"{name}.contexts.jsonl.xz")}
        questions = list(read_lines(qa / f"{name}.train.questions.jsonl.xz"))
        rng.shuffle(questions)
        for question in questions[: MOST.get(name, 350)]:
            golds = [c for c in question["contexts"] if c["gold"] and c.get("spans") and c["id"] in passages]
            if len(golds) != 1:
                continue
            passage = {**passages[golds[0]["id"]], "spans": golds[0]["spans"][:1]}
            kept = window(passage, {"passage_characters": [600, 1300]}, rng)
            if kept["spans"]:
                answer = kept["text"][slice(*kept["spans"][0])]
                yield {"set": PEOPLE, "title": kept["title"], "text": kept["text"], "answer": answer, "question": question["question"]}
    for _ in range(REPEATED):
        yield from exemplars(text)


def exemplars(text: Path) -> Iterator[dict[str, Any]]:
    """Those of training/exemplars, each with its passage, cut out of its record again."""
    count, max_tokens = bundled_counter()
    for file in sorted(EXEMPLARS.glob("*.jsonl")):
        rows = list(read_lines(file))
        wanted = {r["source"] for r in rows}
        records = (r for r in read_lines(text / f"{file.stem}.jsonl.xz") if r["id"] in wanted)
        found = {(p["source"], p["part"]): p for r in records for p in passages_of(file.stem, r, count, max_tokens)}
        for row in rows:
            passage = found[row["source"], row["part"]]
            told = {"title": passage["title"], "text": passage["text"], "answer": row["answer"], "question": row["question"]}
            yield {"set": style_of(file.stem), **told}


class Wording:
    """The model's tokens for prompts and what follows them."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self.styles = {name: tokenizer.token_to_id(token) for name, token in STYLES.items()}
        self.asked, self.apart, self.stop = map(tokenizer.token_to_id, (ASKED, APART, STOP))

    def prompts(self, passages: list[dict[str, Any]]) -> list[list[int]]:
        return [e.ids[:PROMPT] for e in self.tokenizer.encode_batch([f"{p['title']}\n{p['text']}\n" for p in passages])]

    def ids(self, texts: list[str]) -> list[list[int]]:
        return [e.ids for e in self.tokenizer.encode_batch([" " + t for t in texts])]

    def targets(self, rows: list[dict[str, Any]]) -> list[list[int]]:
        """Of every row the answer with its question and the question with its answer, in turn."""
        told = zip(rows, self.ids([r["answer"] for r in rows]), self.ids([r["question"] for r in rows]), strict=True)
        return [
            said for row, answer, question in told for said in (
                [self.styles[row["set"]], *answer, self.apart, *question, self.stop],
                [self.asked, *question, self.apart, *answer, self.stop],
            )
        ]


def padded(rows: list[list[int]], device: torch.device) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(r) for r in rows], batch_first=True).to(device)


def tune(model: Generator, words: Wording, rows: list[dict[str, Any]], seconds: float, size: int, rate: float) -> None:
    """Next-token cross-entropy on answers and questions, one pass or as far as `seconds` reach."""
    device = model.token_embd.weight.device
    said = words.targets(rows)
    asked = [p for p in words.prompts(rows) for _ in range(2)]
    order = sorted(range(len(said)), key=lambda i: len(asked[i]) + len(said[i]) + 20 * random.random())
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    random.shuffle(batches)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.01, fused=device.type == "cuda")
    start, losses = time.perf_counter(), []
    for step, picked in enumerate(batches):
        done = max((time.perf_counter() - start) / seconds, step / len(batches))
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 10) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))
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
        if (step + 1) % 20 == 0:
            mean = float(torch.stack(losses[-20:]).mean())
            print(json.dumps({"step": step + 1, "of": len(batches), "seconds": round(time.perf_counter() - start, 1), "loss": round(mean, 4)}), flush=True)


def worded(model: Generator, words: Wording, passages: list[dict[str, Any]], seconds: float, size: int) -> Iterator[dict[str, Any]]:
    """{"passage": index, "set": style, "spans": the answer's in its text, "question", "chance": log-probability of the answer given the
    question, "first": whether all of its tokens were the likeliest}, in an order that stops anywhere without bias."""
    device = model.token_embd.weight.device
    asked = words.prompts(passages)
    order = sorted(range(len(passages)), key=lambda i: len(asked[i]) + 20 * random.random())
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    random.shuffle(batches)
    start = time.perf_counter()
    asked_for = found = 0
    how = Drawing(stop=words.stop, apart=words.apart, **HOW)
    for picked in batches:
        if time.perf_counter() - start > seconds:
            return
        files = [passages[i]["file"] for i in picked]
        styles = [next(WORDED[name] for name in WORDED if f.startswith(name)) for f in files]
        first = torch.tensor([[words.styles[s] for s in some] for some in styles], device=device)
        lengths = torch.tensor([len(asked[i]) for i in picked], device=device)
        prompt, hidden = model.prompted(padded([asked[i] for i in picked], device), lengths)
        tokens = model.sample(prompt, hidden, first, how).tolist()
        kept = [told(words, samples, some, passages[i]) for i, samples, some in zip(picked, tokens, styles, strict=True)]
        asked_for, found = asked_for + first.numel(), found + sum(map(len, kept))
        line = {"seconds": round(time.perf_counter() - start, 1), "sampled": asked_for, "kept": found}
        print(json.dumps(line), flush=True)
        if not any(kept):
            continue
        rows, answers = scored(words, kept, [passages[i]["text"] for i in picked])
        chances, likeliest = model.likelihood(prompt, hidden, rows.to(device))
        chances, likeliest = chances.cpu(), likeliest.cpu()
        for n, (i, some) in enumerate(zip(picked, kept, strict=True)):
            for m, (style, spans, question) in enumerate(some):
                a, b = answers[n][m]
                sure = {"chance": round(float(chances[n, m, a:b].sum()), 3), "first": bool(likeliest[n, m, a:b].all())}
                yield {"passage": i, "set": style, "spans": spans, "question": question, **sure}


def told(words: Wording, samples: list[list[int]], styles: list[str], passage: dict[str, Any]) -> list[tuple[str, list[list[int]], str]]:
    """Style, the answer's places and the question of each sample that is fit and not told twice."""
    found: dict[tuple[int, str], tuple[str, list[list[int]], str]] = {}
    for sample, style in zip(samples, styles, strict=True):
        if words.stop not in sample or words.apart not in sample[: sample.index(words.stop)]:
            continue
        cut = sample.index(words.apart)
        said = [sample[:cut], sample[cut + 1 : sample.index(words.stop)]]
        answer, question = (t.strip() for t in words.tokenizer.decode_batch(said, skip_special_tokens=False))
        spans = places(answer, passage["text"])
        if spans and fit(question, answer):
            found.setdefault((spans[0][0], question.lower()), (style, spans, question))
    return list(found.values())


def scored(
    words: Wording, kept: list[list[tuple[str, list[list[int]], str]]], texts: list[str]
) -> tuple[torch.Tensor, list[list[tuple[int, int]]]]:
    """Questions with their answers as tokens [P, N, L], and where each answer, its end included, stands among the predicted tokens."""
    rows, answers_at = [], []
    for some, text in zip(kept, texts, strict=True):
        questions = words.ids([question for _, _, question in some])
        answers = words.ids([text[slice(*spans[0])] for _, spans, _ in some])
        rows.append([[words.asked, *q, words.apart, *a, words.stop][:SCORED] for q, a in zip(questions, answers, strict=True)])
        answers_at.append([(len(q) + 1, len(q) + len(a) + 2) for q, a in zip(questions, answers, strict=True)])
    out = torch.full((len(rows), max(map(len, rows)), max(len(r) for some in rows for r in some)), words.stop)
    for n, some in enumerate(rows):
        for m, row in enumerate(some):
            out[n, m, : len(row)] = torch.tensor(row)
    return out, answers_at


def places(answer: str, text: str) -> list[list[int]]:
    """Where the answer stands, its ends not within words, blanks aside."""
    if not answer:
        return []
    pattern = r"\s+".join(map(re.escape, answer.split()))
    before, after = (r"(?<!\w)" if answer[0].isalnum() else "", r"(?!\w)" if answer[-1].isalnum() else "")
    return [[m.start(), m.end()] for m in re.finditer(f"{before}{pattern}{after}", text)][:4]


def fit(question: str, answer: str) -> bool:
    return LEAST_WORDS <= len(question.split()) <= 40 and "\n" not in question and not places(answer.lower(), question.lower())


def word(args: argparse.Namespace) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    clock = time.perf_counter()

    def done(what: str, **more: Any) -> None:
        print(json.dumps({"done": what, "seconds": round(time.perf_counter() - clock, 1), **more}), flush=True)

    random.seed(args.seed)
    torch.manual_seed(args.seed)
    model, tokenizer = from_gguf(args.model, torch.device(device))
    words = Wording(tokenizer)
    rows, passages = list(read_lines(args.examples)), list(read_lines(args.passages))
    random.shuffle(rows)
    done("loaded", examples=len(rows), passages=len(passages))
    if args.tuned and args.tuned.exists():
        model.load_state_dict(torch.load(args.tuned, mmap=True))
    else:
        tune(model, words, rows[: args.most], args.tune, args.batch, args.rate)
    done("tuned")
    model.to(torch.bfloat16 if device == "cuda" else torch.float32).requires_grad_(False)
    if args.tuned and not args.tuned.exists():
        torch.save(model.state_dict(), args.tuned)
    with args.out.open("w", encoding="utf-8") as out:
        count = 0
        for count, row in enumerate(worded(model, words, passages, args.word, args.prompts), 1):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    done("worded", questions=count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, dest="command")
    take = commands.add_parser("examples")
    for name in ("qa", "text", "out"):
        take.add_argument(name, type=Path)
    make = commands.add_parser("word")
    for name in ("model", "examples", "passages", "out"):
        make.add_argument(name, type=Path)
    make.add_argument("--tune", type=float, default=50, help="seconds")
    make.add_argument("--word", type=float, default=140, help="seconds")
    make.add_argument("--tuned", type=Path, help="where the tuned weights are kept, or found")
    make.add_argument("--rate", type=float, default=1.5e-5)
    make.add_argument("--batch", type=int, default=24)
    make.add_argument("--prompts", type=int, default=192, help="passages worded at once")
    make.add_argument("--most", type=int, help="examples at most")
    make.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.command == "word":
        word(args)
        return
    with lzma.open(args.out, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in examples(args.qa, args.text, random.Random(1)))


if __name__ == "__main__":
    main()
