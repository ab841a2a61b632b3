"""Needles in a haystack, eight kinds after RULER (arXiv 2404.06654): is every hidden value found again?

    python -m benchmarks.needles [--tokens N] [--essays FILE.jsonl.xz] [--questions N] [--model DIR] [--hops N]

One memory holds everything: about a third noise, a third essays (noise too without --essays), a third lines that look
like needles, and the needles themselves. A question scores the share of its values among the answers given. Prints
a row a kind; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

if not __package__:  # run as a script: what is imported below is found from the repository's root
    sys.path[0] = str(Path(__file__).parents[1])

from rich.console import Console
from rich.table import Table

from benchmarks.sets import read_lines
from engine import Memory

# Name: (haystack, key, value, keys asked for, values a key); a haystack "lines" is made of lookalikes.
KINDS = {
    "single 1": ("noise", "words", "number", 1, 1),
    "single 2": ("essay", "words", "number", 1, 1),
    "single 3": ("essay", "words", "uuid", 1, 1),
    "multi-key 1": ("essay", "words", "number", 1, 1),
    "multi-key 2": ("lines", "words", "number", 1, 1),
    "multi-key 3": ("lines", "uuid", "uuid", 1, 1),
    "multi-value": ("essay", "words", "number", 1, 4),
    "multi-query": ("essay", "words", "number", 4, 1),
}
# 46,656 names: with fewer, a haystack of a million tokens runs out of them, and a name with a number behind it, the
# way out, holds the name itself.
FIRST = (
    "amber brisk calm dusty early faint gentle hollow icy jolly keen lofty mellow narrow olive pale quiet rusty "
    "stern tidy upper vivid windy young zesty ample blunt crisp dense eager frosty giant humble inner joint loyal"
).split()
SECOND = (
    "copper velvet granite cedar linen marble paper silver walnut wicker barley cobalt ivory pewter "
    "bamboo canvas denim enamel flint garnet hemp indigo jade khaki leather maple nickel onyx plaster quartz rubber "
    "saffron timber umber varnish woollen"
).split()
THIRD = (
    "anchor basin candle drawer engine fiddle garden hammer island jacket kettle ladder mirror needle orchard "
    "parcel quarry ribbon saddle teapot umbrella violin wagon yard zipper anvil bucket carpet dial easel funnel goblet "
    "hinge ink jug knob"
).split()
NOISE = (
    "The road is long. Rain falls on the hill.",
    "A door stands open. Nobody comes in.",
    "The water is cold and the boats are tied up.",
    "Bread is baked in the morning. It is sold by noon.",
)
FILE_WORDS = 1500
WORDS_PER_TOKEN = 0.72


@dataclass
class Needle:
    kind: str
    question: str
    values: list[str]
    lines: list[str]


def sentence(key: str, value: str, what: str) -> str:
    return f"The secret {what} of {key} is {value}."


class Maker:
    """Keys that never repeat, values, needles and haystacks; all from one seed."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.used: set[str] = set()

    def key(self, form: str) -> str:
        while True:
            words = " ".join(self.rng.choice(part) for part in (FIRST, SECOND, THIRD))
            key = words if form == "words" else self.uuid()
            if len(self.used) >= len(FIRST) * len(SECOND) * len(THIRD) // 2 and form == "words":
                key = f"{words} {self.rng.randrange(1000)}"
            if key not in self.used:
                self.used.add(key)
                return key

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def value(self, form: str) -> str:
        return str(self.rng.randrange(1_000_000, 10_000_000)) if form == "number" else self.uuid()

    def needle(self, kind: str) -> Needle:
        _, key_form, value_form, keys, values = KINDS[kind]
        names = [self.key(key_form) for _ in range(keys)]
        pairs = [(name, self.value(value_form)) for name in names for _ in range(values)]
        asked = names[0] if keys == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"
        several = keys * values > 1
        question = f"What are all the secret {value_form}s of {asked}?" if several else f"What is the secret {value_form} of {asked}?"
        return Needle(kind, question, [v for _, v in pairs], [sentence(n, v, value_form) for n, v in pairs])

    def lookalikes(self, count: int) -> list[str]:
        """Half with words and numbers, half with UUIDs."""
        forms = [("words", "number") if i % 2 else ("uuid", "uuid") for i in range(count)]
        return [sentence(self.key(k), self.value(v), v) for k, v in forms]


def essays(path: Path | None, words: int, rng: random.Random) -> list[str]:
    """Sentences or paragraphs, `words` words of them."""
    pieces: list[str] = []
    left = words
    if path:
        for record in read_lines(path):
            for paragraph in record["text"].split("\n"):
                if left > 0 and len(paragraph) > 80:
                    pieces.append(paragraph)
                    left -= len(paragraph.split())
            if left <= 0:
                return pieces
    while left > 0:
        pieces.append(rng.choice(NOISE))
        left -= len(pieces[-1].split())
    return pieces


def haystack(folder: Path, tokens: int, needles: list[Needle], essay_file: Path | None, maker: Maker) -> None:
    """Write the files of a haystack of about `tokens` tokens with the needles at random places of their kind."""
    words = int(tokens * WORDS_PER_TOKEN / 3)
    pieces = {
        "noise": essays(None, words, maker.rng),
        "essay": essays(essay_file, words, maker.rng),
        # About ten words and thirty tokens a line.
        "lines": maker.lookalikes(max(4, tokens // 90)),
    }
    for needle in needles:
        hay = pieces[KINDS[needle.kind][0]]
        for line in needle.lines:
            hay.insert(maker.rng.randrange(len(hay) + 1), line)
    for name, hay in pieces.items():
        begin = size = 0
        for i, piece in enumerate(hay):
            size += len(piece.split())
            if size >= FILE_WORDS or i + 1 == len(hay):
                joint = "\n\n" if name == "essay" else "\n"
                (folder / f"{name}-{begin:07d}.txt").write_text(joint.join(hay[begin : i + 1]) + "\n", encoding="utf-8")
                begin, size = i + 1, 0


def score(answers: list[str], values: list[str]) -> float:
    """Share of the values that stand, alone, among the answers; a wrong answer beside them costs nothing."""
    given = {a.strip(" .,;") for a in answers}
    return sum(v in given for v in values) / len(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tokens", type=int, default=32_000)
    parser.add_argument("--essays", type=Path)
    parser.add_argument("--questions", type=int, default=10, help="a kind")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--hops", type=int)
    args = parser.parse_args()
    maker = Maker(7)
    needles = [maker.needle(kind) for kind in KINDS for _ in range(args.questions)]
    scores: dict[str, list[float]] = defaultdict(list)
    found: dict[str, int] = defaultdict(int)
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        files.mkdir()
        haystack(files, args.tokens, needles, args.essays, maker)
        with Memory.open(Path(folder) / "memory", model=args.model, create=True) as memory:
            tokens = memory.ingest([files]).tokens
            for needle in needles:
                began = time.perf_counter()
                answer = memory.ask(needle.question, max_hops=args.hops)
                seconds.append(time.perf_counter() - began)
                scores[needle.kind].append(score(answer.answers, needle.values))
                found[needle.kind] += answer.found
    table = Table("kind", "score", "answered", title=f"{tokens:,} tokens, {args.questions} questions a kind")
    means = {kind: round(100 * statistics.mean(values), 1) for kind, values in scores.items()}
    for kind, value in means.items():
        table.add_row(kind, str(value), f"{found[kind]}/{args.questions}")
    Console(width=100).print(table)
    average = round(statistics.mean(means.values()), 1)
    result = {"benchmark": "needles", "tokens": tokens, "average": average, "kinds": means}
    print(json.dumps({**result, "seconds_median": round(statistics.median(seconds), 2)}))


if __name__ == "__main__":
    main()
