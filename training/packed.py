"""Samples tokenised once and for all, and contexts drawn from them as flat token arrays: nothing is tokenised while a GPU waits.

    python -m training.packed MODEL_FOLDER OUT.safetensors SAMPLES.jsonl[*TIMES] ...

A passage stands in the file once, whatever asks about it: its title and text as tokens, and an answer as the places of its first and last
token. What training.batches and training.groups draw from text is drawn here from tokens: all evidence or a part of it, a
wrong passage, one beside another, a passage without the sentence that answers, one passage against others that do not answer.
"""

from __future__ import annotations

import argparse
import random
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch.utils.data import Dataset

from benchmarks.sets import read_lines
from engine.model.inputs import EncoderInputs
from training.batches import IGNORED, LINE_SETS, _without_answer, window
from training.train import load

MOST_GOLDS, MOST_NEGATIVES = 3, 6
KINDS = ("span", "yes", "no", "null")
FLAGS = ("needs_all", "judged", "worded")
"""A comparison is not to be read from one side; a question for the judge; one that a model worded and perhaps nothing answers."""
FIRST = 1 + len(FLAGS)
ROOM = 512
"""Tokens of a context."""


def samples_of(files: list[str], rng: random.Random) -> list[dict[str, Any]]:
    """Samples of the files, each as often as its "*TIMES" says, shuffled."""
    samples: list[dict[str, Any]] = []
    for file in files:
        path, _, times = file.partition("*")
        samples += list(read_lines(Path(path))) * int(times or 1)
    rng.shuffle(samples)
    return samples


class Ragged:
    """Many rows of tokens in one array, each row once."""

    def __init__(self) -> None:
        self.flat, self.offsets, self.known = array("H"), array("l", [0]), {}

    def add(self, key: Any, tokens: list[int]) -> int:
        if key not in self.known:
            self.known[key] = len(self.known)
            self.flat.extend(tokens)
            self.offsets.append(len(self.flat))
        return self.known[key]

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        return {name: np.array(self.flat, dtype=np.uint16), f"{name}_at": np.array(self.offsets, dtype=np.int32)}


class Packer:
    def __init__(self, inputs: EncoderInputs, settings: dict[str, Any]):
        self.inputs, self.settings, self.rng = inputs, settings, random.Random(settings["seed"])
        self.passages, self.titles, self.questions = Ragged(), Ragged(), Ragged()
        self.title_of, self.whole, self.rows = array("l"), array("b"), []
        self.places: dict[int, list[tuple[int, int]]] = {}

    def passage(self, passage: dict[str, Any], whole: bool) -> int:
        key = passage["title"], passage["text"]
        if key in self.passages.known:
            return self.passages.known[key]
        placed = self.inputs._placed(passage["text"])[: self.inputs.config.max_document_tokens]
        number = self.passages.add(key, [t for t, _, _ in placed])
        self.title_of.append(self.titles.add(passage["title"], self.inputs.title_ids(passage["title"])))
        self.whole.append(whole)
        self.places[number] = [(a, b) for _, a, b in placed]
        return number

    def answer(self, number: int, spans: list[list[int]]) -> tuple[int, int]:
        """First and last token of the first span that is whole in the passage."""
        for begin, stop in spans:
            inside = [i for i, (a, b) in enumerate(self.places[number]) if b > begin and a < stop]
            if inside and self.places[number][inside[-1]][1] >= stop:
                return inside[0], inside[-1]
        return -1, -1

    def add(self, sample: dict[str, Any]) -> None:
        by_line = sample["set"] in LINE_SETS
        # A passage that is cut may no longer say yes or no.
        whole = {"whole": True} if sample.get("judged") else {}
        golds = [window({"spans": [], **g, **whole}, self.settings, self.rng) for g in sample["golds"][:MOST_GOLDS]]
        negatives = [window({**n, "spans": []}, self.settings, self.rng) for n in sample["negatives"][:MOST_NEGATIVES]]
        wholes = [bool(g.get("whole") or by_line or whole) for g in sample["golds"]]
        gold = [self.passage(g, w) for g, w in zip(golds, wholes, strict=False)]
        spans = [self.answer(n, g["spans"]) for n, g in zip(gold, golds, strict=True)]
        wrong = [self.passage(n, by_line) for n in negatives]
        without = -1
        if sample["kind"] == "span" and len(golds) == 1 and self.rng.random() < self.settings["packed_without"]:
            rest = _without_answer(golds[0], by_line)
            without = -1 if rest is None else self.passage(rest, by_line)
        kind = KINDS.index({"unsaid": "null"}.get(sample["kind"], sample["kind"]))
        if not gold and not wrong:
            return
        tokens = self.inputs.tokenizer.encode(sample["question"], add_special_tokens=False).ids
        question = self.questions.add(sample["question"], tokens[: self.inputs.config.max_question_tokens])
        fill = [-1] * MOST_GOLDS
        flat = [x for s in (spans + [(-1, -1)] * MOST_GOLDS)[:MOST_GOLDS] for x in s]
        flags = [kind, *(int(bool(sample.get(flag))) for flag in FLAGS)]
        self.rows.append([*flags, question, without, *(gold + fill)[:MOST_GOLDS], *flat, *(wrong + [-1] * MOST_NEGATIVES)[:MOST_NEGATIVES]])

    def save(self, out: Path) -> None:
        arrays = {"title_of": np.array(self.title_of, dtype=np.int32), "whole": np.array(self.whole, dtype=np.int8)}
        for name in ("passages", "titles", "questions"):
            arrays |= getattr(self, name).arrays(name)
        save_file({**arrays, "rows": np.array(self.rows, dtype=np.int32)}, out)


def joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """One set of arrays of several, what points into them moved along."""
    counts = {name: [0] for name in ("passages", "titles", "questions")}
    for part in parts:
        for name, count in counts.items():
            count.append(count[-1] + len(part[f"{name}_at"]) - 1)
    points = {FIRST: "questions"} | dict.fromkeys([FIRST + 1, *range(FIRST + 2, FIRST + 2 + MOST_GOLDS), *range(-MOST_NEGATIVES, 0)], "passages")
    for i, part in enumerate(parts):
        part["title_of"] = part["title_of"] + counts["titles"][i]
        for column, name in points.items():
            part["rows"][:, column] += np.where(part["rows"][:, column] >= 0, counts[name][i], 0).astype(np.int32)
    out = {name: np.concatenate([part[name] for part in parts]) for name in ("title_of", "whole", "rows", *counts)}
    for name in counts:
        ends = np.cumsum([0] + [len(part[name]) for part in parts])
        out[f"{name}_at"] = np.concatenate([[0], *(part[f"{name}_at"][1:] + end for part, end in zip(parts, ends, strict=False))])
    return out


@dataclass
class Drawn:
    """Contexts of one question: each a list of (passage, from, to) in tokens. `answer` is (piece, first, last) in context `wanted`,
    () where nothing answers and None where it is not known. `judgement` IGNORED unless the judge is to say something."""

    question: int
    contexts: list[list[tuple[int, int, int]]]
    wanted: int = 0
    answer: tuple[int, ...] | None = None
    kind: int = IGNORED
    enough: float = 0.0
    judgement: int = IGNORED


class Packed:
    """Packed files as one: `passages`, `titles` and `questions` hold tokens, their `..._at` where each begins."""

    def __init__(self, files: list[Path], settings: dict[str, Any], inputs: EncoderInputs):
        parts = [load_file(file) for file in files]
        self.sizes = [len(part["rows"]) for part in parts]
        self.__dict__.update(joined(parts))
        self.settings, self.cls, self.sep = settings, inputs.cls, inputs.sep
        self.mask = inputs.tokenizer.token_to_id("[MASK]")

    def row(self, number: int) -> tuple[list[int], int, int, list[int], list[tuple[int, int]], list[int]]:
        """Flags, question, passage without the answer, gold passages and the answers' tokens in them, negatives."""
        row = self.rows[number].tolist()
        golds = [g for g in row[FIRST + 2 :][:MOST_GOLDS] if g >= 0]
        flat = row[FIRST + 2 + MOST_GOLDS :]
        spans = [(flat[2 * i], flat[2 * i + 1]) for i in range(len(golds))]
        return row[:FIRST], row[FIRST], row[FIRST + 1], golds, spans, [n for n in row[-MOST_NEGATIVES:] if n >= 0]

    def worded(self) -> list[int]:
        """Samples whose question a model worded and whose answer is marked."""
        marked = self.rows[:, FIRST + 2 + MOST_GOLDS] >= 0
        return np.nonzero((self.rows[:, 1 + FLAGS.index("worded")] == 1) & marked)[0].tolist()

    def drop(self, numbers: list[int]) -> None:
        self.rows = np.delete(self.rows, numbers, 0)

    def asked(self, number: int) -> Drawn:
        """The sample as it is: its question, its first passage whole, its answer."""
        _, question, _, golds, spans, _ = self.row(number)
        size = int(self.passages_at[golds[0] + 1] - self.passages_at[golds[0]])
        return Drawn(question, [[(golds[0], 0, size)]], 0, (0, *spans[0]), 0)

    def cut(self, passage: int, span: tuple[int, int], rng: random.Random) -> tuple[int, int, int]:
        """A part of a passage with its answer, or all of it."""
        size = int(self.passages_at[passage + 1] - self.passages_at[passage])
        least = self.settings["least_tokens"]
        if self.whole[passage] or size <= least or rng.random() >= self.settings["cut"]:
            return passage, 0, size
        length = rng.randint(max(least, span[1] - span[0] + 1), size)
        first, last = span if span[0] >= 0 else (rng.randrange(size),) * 2
        begin = rng.randint(max(0, last + 1 - length), min(first, size - length))
        return passage, begin, begin + length

    def draw(self, number: int, rng: random.Random) -> Drawn | None:
        (kind, needs_all, judged, _), question, without, golds, spans, negatives = self.row(number)
        cuts = [self.cut(g, s, rng) for g, s in zip(golds, spans, strict=True)]
        wrong = [self.cut(n, (-1, -1), rng) for n in rng.sample(negatives, len(negatives))]
        if judged:
            return self._judged(question, kind, cuts, wrong, rng)
        told = [(i, a - cuts[i][1], b - cuts[i][1]) for i, (a, b) in enumerate(spans) if a >= 0]
        s = self.settings
        if wrong and kind != KINDS.index("null") and len(golds) < 3 and rng.random() < s["grouped"]:
            return self._group(question, kind, cuts, told, wrong, rng)
        if wrong and (kind == KINDS.index("null") or rng.random() < s["read_wrong"]):
            return self._one(question, [wrong[0]], wrong[1:], (), IGNORED, 0.0, rng)
        if kind == KINDS.index("null"):
            return None
        if without >= 0 and rng.random() < s["read_without"]:
            size = int(self.passages_at[without + 1] - self.passages_at[without])
            return self._one(question, [(without, 0, size)], wrong, (), IGNORED, 0.0, rng)
        order = rng.sample(range(len(golds)), len(golds))
        enough = 1.0
        if len(golds) > 1 and rng.random() < s["read_part"]:
            order, enough = order[:1], 0.0
        evidence = [cuts[i] for i in order]
        if kind != 0:
            return self._one(question, evidence, wrong, None if enough else (), kind if enough else IGNORED, enough, rng)
        answer = next(((order.index(i), a, b) for i, a, b in told if i in order), None)
        if answer is not None and (enough or not needs_all):
            return self._one(question, evidence, wrong, answer, 0, enough, rng)
        return self._one(question, evidence, wrong, None if enough else (), IGNORED, enough, rng)

    def _one(self, question, evidence, others, answer, kind, enough, rng) -> Drawn:
        if len(evidence) == 1 and others and rng.random() < self.settings["read_beside_wrong"]:
            place = rng.randrange(2)
            evidence = [evidence[0], others[0]] if not place else [others[0], evidence[0]]
            answer = (place, *answer[1:]) if answer else answer
        return Drawn(question, [evidence], 0, answer, kind, enough)

    def _group(self, question, kind, cuts, told, wrong, rng) -> Drawn:
        read, last = [], rng.randrange(len(cuts))
        if len(cuts) > 1 and rng.random() < self.settings["group_after"]:
            read = [cuts[1 - last]]
        wrong = wrong[: self.settings["group_size"] - 1]
        spans = dict((i, (len(read), a, b)) for i, a, b in told)
        known = kind == 0 and not (read and 1 - last in spans)
        if rng.random() < self.settings["group_without"]:
            return Drawn(question, [[*read, w] for w in wrong], -1, () if known or kind else None)
        enough = float(len(read) + 1 == len(cuts))
        drawn = Drawn(question, [[*read, p] for p in (cuts[last], *wrong)], 0, None, IGNORED, enough)
        if kind and enough:
            drawn.kind = kind
        elif known and last in spans:
            drawn.answer, drawn.kind = spans[last], 0
        elif known and len(cuts) > 1:
            drawn.answer = ()
        return drawn

    def _judged(self, question, kind, cuts, wrong, rng) -> Drawn | None:
        if wrong and (not cuts or rng.random() < self.settings["unsaid"]):
            return Drawn(question, [wrong[: rng.choice((1, 1, 2))]], judgement=0)
        if kind == KINDS.index("null"):
            return Drawn(question, [cuts], judgement=0)
        evidence = rng.sample(cuts, len(cuts))
        if wrong and rng.random() < self.settings["beside"]:
            evidence = rng.sample([*evidence, wrong[0]], len(evidence) + 1)
        return Drawn(question, [evidence], 0, None, kind, 1.0, judgement=kind)


@dataclass
class Flat:
    """Contexts end to end. Per token [N]: `ids`, `positions`, `segments`, `places` (an answer may stand here), `rows`, `groups`.
    `starts` [R + 1]: where each context begins; `longest`. Per group [G]: `members` [G, M] contexts (-1: none), `at` the context
    answered from, `answer` [G, 2] tokens of the flat array, -1 where nothing answers, IGNORED where not known; `kind`, `judgement`;
    `wanted` the place among members, M for none, IGNORED for a context alone. `enough` [R]."""

    ids: torch.Tensor
    positions: torch.Tensor
    segments: torch.Tensor
    places: torch.Tensor
    rows: torch.Tensor
    groups: torch.Tensor
    starts: torch.Tensor
    members: torch.Tensor
    at: torch.Tensor
    answer: torch.Tensor
    kind: torch.Tensor
    judgement: torch.Tensor
    wanted: torch.Tensor
    enough: torch.Tensor
    longest: int = field(default=0)

    def to(self, device: torch.device) -> Flat:
        return Flat(**{k: v.to(device, non_blocking=True) if isinstance(v, torch.Tensor) else v for k, v in vars(self).items()})


def masked(row: list[np.ndarray], packed: Packed, rng: random.Random | None) -> list[np.ndarray]:
    """In some contexts some tokens cannot be seen, but for the special ones: less hangs on single words."""
    contexts, share = packed.settings["masked"]
    if rng is None or rng.random() >= contexts:
        return row
    noise = np.random.default_rng(rng.getrandbits(32))
    return [
        np.where(noise.random(len(part)) < share, np.uint16(packed.mask), part) if len(part) > 1 else part for part in row
    ]


def flat(packed: Packed, drawn: list[Drawn], rng: random.Random | None = None) -> Flat:
    ids, places, sizes, questions, owner, answers, at = [], [], [], [], [], [], []
    total = 0
    for number, group in enumerate(drawn):
        wanted, answer = max(group.wanted, 0), IGNORED if group.answer is None else -1
        span = [answer, answer]
        at.append(len(sizes) + wanted)
        asked = packed.questions[packed.questions_at[group.question] : packed.questions_at[group.question + 1]]
        for n, pieces in enumerate(group.contexts):
            begin = total
            row = [np.array([packed.cls], np.uint16), asked, np.array([packed.sep], np.uint16)]
            told = [np.zeros(len(asked) + 2, bool)]
            total += len(asked) + 2
            room = (ROOM - len(asked) - 2) // len(pieces)
            for p, (passage, first, last) in enumerate(pieces):
                title = packed.title_of[passage]
                head = packed.titles[packed.titles_at[title] : packed.titles_at[title + 1]]
                base = packed.passages_at[passage]
                text = packed.passages[base + first : min(base + last, base + first + room - len(head) - 1)]
                row += [head, text, np.array([packed.sep], np.uint16)]
                told += [np.zeros(len(head), bool), np.ones(len(text), bool), np.zeros(1, bool)]
                if group.answer and n == wanted and p == group.answer[0] and group.answer[2] < len(text):
                    span = [total + len(head) + group.answer[1], total + len(head) + group.answer[2]]
                total += len(head) + len(text) + 1
            if group.answer and n == wanted and span[0] < 0:
                span = [IGNORED, IGNORED]
            ids += masked(row, packed, rng)
            places += told
            sizes.append(total - begin)
            questions.append(len(asked) + 2)
            owner.append(number)
        answers.append(span)
    size = torch.tensor(sizes)
    starts = torch.cat([torch.zeros(1, dtype=torch.long), size.cumsum(0)])
    rows = torch.repeat_interleave(torch.arange(len(sizes)), size)
    positions = torch.arange(total) - starts[rows]
    most = max(len(g.contexts) for g in drawn)
    members = torch.full((len(drawn), most), -1)
    first = 0
    for number, group in enumerate(drawn):
        members[number, : len(group.contexts)] = torch.arange(first, first + len(group.contexts))
        first += len(group.contexts)
    enough = torch.zeros(len(sizes))
    enough[at] = torch.tensor([g.enough for g in drawn])
    wanted = [IGNORED if len(g.contexts) == 1 else most if g.wanted < 0 else g.wanted for g in drawn]
    return Flat(
        torch.from_numpy(np.concatenate(ids).astype(np.int32)),
        positions,
        (positions >= torch.tensor(questions)[rows]).long(),
        torch.from_numpy(np.concatenate(places)),
        rows,
        torch.tensor(owner)[rows],
        starts,
        members,
        torch.tensor(at),
        torch.tensor(answers),
        torch.tensor([g.kind for g in drawn]),
        torch.tensor([g.judgement for g in drawn]),
        torch.tensor(wanted),
        enough,
        int(max(sizes)),
    )


class PackedSteps(Dataset):
    """Step number -> Flat. Each pass over the samples is in an order of its own."""

    def __init__(self, packed: Packed, settings: dict[str, Any]):
        self.packed, self.settings, self.turn = packed, settings, -1

    def __len__(self) -> int:
        return self.settings["steps"]

    def __getitem__(self, step: int) -> Flat:
        size, count = self.settings["batch_size"], len(self.packed.rows)
        rng = random.Random(self.settings["seed"] * 1_000_003 + step)
        numbers = []
        for i in range(step * size, (step + 1) * size):
            if self.turn != i // count:
                self.turn = i // count
                self.order = np.random.default_rng([self.settings["seed"], self.turn]).permutation(count)
            numbers.append(int(self.order[i % count]))
        drawn = (self.packed.draw(n, rng) for n in numbers)
        return flat(self.packed, [d for d in drawn if d is not None], rng)


class Worded(Dataset):
    """Number -> a batch of worded questions as they are; `numbers` says which."""

    def __init__(self, packed: Packed, size: int):
        self.packed = packed
        order = packed.worded()
        self.numbers = [order[i : i + size] for i in range(0, len(order), size)]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, batch: int) -> Flat:
        return flat(self.packed, [self.packed.asked(n) for n in self.numbers[batch]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("samples", nargs="+")
    args = parser.parse_args()
    settings = {"seed": 7, "passage_characters": [900, 1100], "packed_without": 0.25}
    packer = Packer(load(args.model)[1], settings)
    for sample in samples_of(args.samples, random.Random(7)):
        packer.add(sample)
    packer.save(args.out)
    print(f"{len(packer.rows)} samples, {len(packer.title_of)} passages, {len(packer.passages.flat)} tokens -> {args.out}")


if __name__ == "__main__":
    main()
