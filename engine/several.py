"""What a question's wording asks for: one thing, several, or an explanation; and the readings that give it."""

from __future__ import annotations

import math
import re

from engine.found import Found, folded

MOST = 8
MARGIN = math.log(4)
"""A further answer weighs at least a quarter of the one before it, and a sixteenth of the best: what is not meant
mostly lies behind a gap."""

LEAST_STATEMENT = 4
JOINT = "; "
MOST_PARTS = 6
MOST_WORDS = 8
_LISTED = re.compile(r"(.*\b(?:of|for|in|at|by|from|has|have|does|do)\s+)(.+?)([?.!]*)$", re.IGNORECASE | re.DOTALL)
_BETWEEN = re.compile(r",\s*(?:and\s+)?|\s+and\s+")
_ASKED = re.compile(
    r"\blist\b|(?:^|\b(?:what|which|who|whom|name|give|show|find|tell|me|us|are|were|of|for)\s+)(?:all|both|each|every)\b"
    r"|\b(?:what|which|who)\s+(?:are|were)\b"
    r"|(?:^|[,;:]\s*|\band\s+)(?:what|which)\s+(?:[\w-]+\s+){0,2}[\w-]+s\s+(?:are|were|do|did|have|had|can|may|must)\b"
    r"|\bname\s+(?:the|all|two|three|four|five)\b",
    re.IGNORECASE,
)


def asks_for_several(question: str) -> bool:
    """Whether the wording asks for more than one thing: "what are", "list", "all", "which ports are"."""
    return _ASKED.search(question) is not None


def one_by_one(question: str) -> list[str]:
    """A question about several named things -> one about each; empty when it names one thing.

    "What are the ports of A, B and C?" asks three. Two names may be one ("Romeo and Juliet"): they are only taken
    apart where each has several words.
    """
    listed = _LISTED.match(question)
    if not listed or not asks_for_several(question):
        return []
    names = [name.strip() for name in _BETWEEN.split(listed[2])]
    least = 1 if len(names) > 2 else 2
    if not 2 <= len(names) <= MOST_PARTS or any(not least <= len(n.split()) <= MOST_WORDS for n in names):
        return []
    return [f"{listed[1]}{name}{listed[3]}" for name in names]


def answers_of(question: str, found: list[Found]) -> list[Found]:
    """The best of `found` (best first); where several things are asked for, every other one down to a gap, and beyond
    it those whose sentence says of them what the best one's says, word for word.

    Of readings that say the same the best stays.
    """
    kept = found[:1]
    if not asks_for_several(question):
        return kept
    last, near = found[0].score if found else 0.0, True
    for f in found[1:]:
        near = near and f.score >= max(last - MARGIN, found[0].score - 2 * MARGIN)
        if len(kept) == MOST:
            break
        if f.reading.kind != "span" or not (near or _statement(f) == _statement(kept[0])):
            continue
        last = f.score
        if not any(_alike(f, k) for k in kept):
            kept.append(f)
    return kept


def _statement(f: Found) -> str:
    """The sentence around an answer, the answer itself left open; empty where little else stands in it."""
    open_sentence = folded(f.sentence.replace(f.text, "\0"))
    return open_sentence if len(open_sentence.split()) >= LEAST_STATEMENT else f"\0{f.text}"


def _alike(one: Found, other: Found) -> bool:
    a, b = folded(one.text), folded(other.text)
    return a in b or b in a
