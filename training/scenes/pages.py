"""Stage S1: scenes -> pages with similar facts side by side, and samples that ask of them in far words.

    python -m training.scenes.pages OUT.jsonl FOLDER_OR_FILE ... [--asked 1] [--seed 1]

Each question of each fact is asked `--asked` times, of pages drawn anew: some facts of the scene in one order or another, each in one of its
sayings, values at random. What does not answer: a page of the same scene without the fact, the page of another scene of the
same kind, and the page of one that shares words with the question. One in six asks of a page without the fact. Yes/no questions are for the judge.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.prepare import Lexical
from training.scenes.parse import ANSWER, PART, Fact, Scene, read_scenes
from training.scenes.values import Values

PAGE = 900
"""Characters of a page, about: a document of the engine's."""
FACTS = (3, 10)
UNSAID = 1 / 6
HEADED = 0.3
CODE = ("code", "config")


@dataclass
class Page:
    """`answers`: number of a fact -> where its answer stands in `text`."""

    title: str
    text: str
    values: dict[str, str]
    answers: dict[int, tuple[int, int]]

    def without(self) -> dict[str, str]:
        return {"title": self.title, "text": self.text}

    def gold(self, fact: int) -> dict[str, Any]:
        return {**self.without(), "spans": [list(self.answers[fact])]}


def filled(text: str, values: dict[str, str]) -> str:
    return PART.sub(lambda m: m[0][0] if not m[1] else values[m[1]], text)


def said(text: str, values: dict[str, str]) -> tuple[str, int, int]:
    """A saying with its values, and where in it the answer stands."""
    whole = filled(text, values)
    mark = ANSWER.search(whole)
    assert mark
    begin = mark.start()
    return whole[:begin] + mark[1] + whole[mark.end() :], begin, begin + len(mark[1])


def joined_by(before: str, after: str, code: bool) -> str:
    if code:
        return "\n" if "\n" not in before and "\n" not in after else "\n\n"
    if any(t.count("\n") > 1 for t in (before, after)):
        return "\n\n"
    lined = any(t.startswith(("- ", "* ", "|")) or "\n" in t for t in (before, after))
    return "\n" if lined else " "


def told_together(scene: Scene, one: int, other: int | None) -> bool:
    """Whether what says one fact says the other too."""
    block = scene.facts[one].block
    return one == other or (other is not None and block is not None and block == scene.facts[other].block)


def page(scene: Scene, must: list[int], never: int | None, rng: random.Random) -> Page:
    """A page of the scene that says the facts of `must` and not `never`."""
    code = scene.kind in CODE
    values = Values(rng, code).drawn(scene.slots)
    others = [n for n in range(len(scene.facts)) if n not in must and not told_together(scene, n, never)]
    chosen = must + rng.sample(others, len(others))[: max(0, rng.randint(*FACTS) - len(must))]
    manner = rng.randrange(3)
    pieces: list[tuple[int, str, int, int]] = []
    size, blocks = 0, set()
    for number in chosen:
        says, block = scene.facts[number].say, scene.facts[number].block
        if block in blocks:
            continue
        blocks |= {block} - {None}
        text, begin, end = said(says[manner % len(says)] if rng.random() < 0.6 else rng.choice(says), values)
        size += len(text) + 1
        if pieces and number not in must and size > PAGE:
            break
        pieces.append((number, text, begin, end))
    rng.shuffle(pieces)
    for line in rng.sample(scene.noise, min(len(scene.noise), rng.choice((0, 1, 1, 2)))):
        pieces.insert(rng.randrange(len(pieces) + 1), (-1, filled(line, values), 0, 0))
    text = ""
    if code and scene.head.strip() and rng.random() < 0.5:
        text = filled(scene.head, values).strip("\n") + "\n\n"
    elif not code and rng.random() < HEADED:
        text = "#" * rng.randint(1, 3) + f" {filled(scene.title, values)}\n\n"
    answers, last = {}, ""
    for number, piece, begin, end in pieces:
        text += joined_by(last, piece, code) if last else ""
        if number >= 0:
            answers[number] = (len(text) + begin, len(text) + end)
        text += piece
        last = piece
    return Page(filled(scene.title, values), text, values, answers)


class Pages:
    def __init__(self, scenes: list[Scene], rng: random.Random):
        self.scenes, self.rng = scenes, rng
        self.kinds: dict[bool, list[Scene]] = defaultdict(list)
        for scene in scenes:
            self.kinds[scene.kind in CODE].append(scene)
        whole = {str(n): {"title": s.title, "text": " ".join(ANSWER.sub("", f.say[0]) for f in s.facts)} for n, s in enumerate(scenes)}
        self.lexical = Lexical(whole)

    def wrong(self, scene: Scene, question: str, without: int) -> list[dict[str, str]]:
        """Pages that do not answer: the likest first."""
        rng = self.rng
        own = [page(scene, [], without, rng) for _ in range(2)]
        near = [s for n in self.lexical.near(question, 6) if (s := self.scenes[int(n)]) is not scene][:3]
        far = [s for s in (*near, rng.choice(self.kinds[scene.kind in CODE])) if s is not scene]
        return [p.without() for p in (*own, *(page(s, [], None, rng) for s in far))]

    def sample(self, scene: Scene, number: int, question: str, kind: str) -> dict[str, Any]:
        rng = self.rng
        told = page(scene, [number], None, rng)
        asked = filled(question, told.values)
        wrong = self.wrong(scene, asked, number)
        judged = kind != "span"
        if rng.random() < UNSAID:
            kind = "null"
        rest = {"judged": True} if judged else {}
        return {
            "set": "code" if scene.kind in CODE else "scenes",
            "question": asked,
            "kind": kind,
            "golds": [] if kind == "null" else [told.gold(number)],
            "negatives": wrong[:5],
            **rest,
        }

    def samples(self) -> Iterator[dict[str, Any]]:
        """Each question of each fact once."""
        for scene in self.scenes:
            for number, fact in enumerate(scene.facts):
                yield from (self.sample(scene, number, q, kind) for kind, some in asked_of(fact) for q in some)


def asked_of(fact: Fact) -> list[tuple[str, list[str]]]:
    return [("span", fact.ask), ("yes", fact.yes), ("no", fact.no)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("scenes", type=Path, nargs="+")
    parser.add_argument("--asked", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    files = [f for path in args.scenes for f in (sorted(path.rglob("*.txt")) if path.is_dir() else [path])]
    pages = Pages(read_scenes(files), random.Random(args.seed))
    samples = [sample for _ in range(args.asked) for sample in pages.samples()]
    pages.rng.shuffle(samples)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(s, ensure_ascii=False) + "\n" for s in samples)
    print(f"{len(pages.scenes)} scenes, {len(samples)} samples -> {args.out}")


if __name__ == "__main__":
    main()
