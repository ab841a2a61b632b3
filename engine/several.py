"""Questions that ask for several things, and the readings that answer them together."""

from __future__ import annotations

import math
import re

from engine.interleave import Found, folded

MOST = 8
MARGIN = math.log(4)
"""A further answer weighs at least a quarter of the best one."""

JOINT = "; "
_ASKED = re.compile(
    r"\b(?:all|both|list|each|every)\b"
    r"|\b(?:what|which|who)\s+(?:are|were)\b"
    r"|(?:^|[,;:]\s*|\band\s+)(?:what|which)\s+(?:[\w-]+\s+){0,2}[\w-]+s\s+(?:are|were|do|did|have|had|can|may|must)\b"
    r"|\bname\s+(?:the|all|two|three|four|five)\b",
    re.IGNORECASE,
)


def asks_for_several(question: str) -> bool:
    """Whether the wording asks for more than one thing: "what are", "list", "all", "which ports are"."""
    return _ASKED.search(question) is not None


def answers_of(question: str, found: list[Found]) -> list[Found]:
    """The best of `found` (best first); where several things are asked for, every other one that comes near it.

    Of readings that say the same the best stays.
    """
    kept = found[:1]
    if not asks_for_several(question):
        return kept
    for f in found[1:]:
        if len(kept) == MOST or f.score < found[0].score - MARGIN:
            break
        if f.reading.kind == "span" and not any(_alike(f, k) for k in kept):
            kept.append(f)
    return kept


def _alike(one: Found, other: Found) -> bool:
    a, b = folded(one.text), folded(other.text)
    return a in b or b in a
