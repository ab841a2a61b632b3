"""Questions that their passage does not answer, made of ones it does: another name, number or opposite is asked for.

The hard case of "not found": the topic is there, the fact is not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

Sample = dict[str, Any]

SETS = frozenset(("squad", "nq_gold", "qed", "nq_swap", "covidqa", "stated", "reqa_squad", "hotpotqa", "tatqa_text"))
NAME = re.compile(r"(?<!^)\b[A-Z][\w'-]+(?: (?:of |de |the )?[A-Z][\w'-]+)*")
# A word that begins a sentence is no name for having a capital.
WITHIN = re.compile(rf"(?<=[a-z,] ){NAME.pattern}")
YEAR = re.compile(r"\b(1[0-9]{3}|20[0-4][0-9])\b")
OPPOSITES = (
    "first/last", "largest/smallest", "largest/second largest", "highest/lowest", "most/least", "oldest/youngest", "before/after",
    "north/south", "east/west", "northern/southern", "eastern/western", "minimum/maximum", "increase/decrease", "above/below",
    "longest/shortest", "biggest/smallest", "earliest/latest", "more/fewer", "begin/end", "began/ended", "open/close",
    "win/lose", "won/lost", "inside/outside", "male/female", "men/women", "born/buried", "summer/winter", "public/private",
    "import/export", "enter/leave", "buy/sell", "upper/lower", "early/late", "accept/reject", "allow/forbid", "old/new",
    "start/stop", "arrive/depart", "king/queen", "father/mother", "brother/sister", "husband/wife", "left/right",
)  # fmt: skip
SWAPS = {a: b for pair in OPPOSITES for a, b in (pair.split("/"), pair.split("/")[::-1])}
OPPOSITE = re.compile(rf"\b({'|'.join(sorted(SWAPS, key=len, reverse=True))})\b")
SAME_PASSAGE = 0.35


def unanswerable_samples(samples: Sequence[Sample], wanted: int, rng: random.Random) -> list[Sample]:
    """At most `wanted` null samples, each with the passage that answered the question it was made of."""
    material = [s for s in samples if s["kind"] == "span" and s["set"] in SETS and len(s["golds"]) == 1]
    made: list[Sample] = []
    for sample in rng.sample(material, len(material)):
        if len(made) == wanted:
            break
        changes = [_opposite, _year, lambda s, r: _name(s, rng.choice(material), r), lambda s, r: _name(s, s, r)]
        changed = (change(sample, rng) for change in rng.sample(changes, len(changes)))
        question = next(filter(None, changed), None)
        if question:
            passage = {"title": sample["golds"][0]["title"], "text": sample["golds"][0]["text"]}
            made.append({"set": "unanswerable", "question": question, "kind": "null", "golds": [], "negatives": [passage]})
    return made


def _put(question: str, match: re.Match[str], instead: str) -> str:
    return question[: match.start()] + instead + question[match.end() :]


def _opposite(sample: Sample, rng: random.Random) -> str | None:
    """The question turned round, where the passage does not speak of the opposite."""
    match = OPPOSITE.search(sample["question"])
    if match is None or SWAPS[match[1]] in sample["golds"][0]["text"].lower():
        return None
    return _put(sample["question"], match, SWAPS[match[1]])


def _year(sample: Sample, rng: random.Random) -> str | None:
    match = YEAR.search(sample["question"])
    if match is None:
        return None
    year = str(int(match[1]) + rng.choice((-20, -11, -7, -4, 3, 6, 9, 13)))
    return None if year in sample["golds"][0]["text"] else _put(sample["question"], match, year)


def _name(sample: Sample, other: Sample, rng: random.Random) -> str | None:
    """Another name in place of the question's: one of another passage, or, seldom, one that stands in the same."""
    question, gold = sample["question"], sample["golds"][0]
    asked = list(NAME.finditer(question))
    if not asked or (other is sample and rng.random() > SAME_PASSAGE):
        return None
    match = rng.choice(asked)
    a, b = gold["spans"][0]
    names = {m.group() for m in WITHIN.finditer(other["golds"][0]["text"])}
    about = f"{question} {gold['title']} {gold['text'][max(0, a - 120) : b + 120] if other is sample else gold['text']}"
    alike = [n for n in sorted(names) if n not in about and len(n.split()) == len(match.group().split()) and len(n) > 3]
    return _put(question, match, rng.choice(alike)) if alike else None
