"""Questions about what two named things have in common -> what to ask of each, and what both answers say.

"What occupation do A and B share?" asks the occupation of each; "Which club did both A and B play for?" asks it of A and of B.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from engine.comparing import LONGEST_QUESTION, names_of

BEHIND = 0.5
"""What a place further back among the answers costs, in words shared."""
_WORD_OF_NAME = r"[A-Z0-9][\w.'&:()/-]*"
_LINK = r"(?:of|the|de|du|van|von|la|le|in|to|at|on|a|an|for|by|from|with)"
_NAME = rf"(?:\"[^\"]+\"|\u201c[^\u201d]+\u201d|(?:[Tt]he |[Aa]n? )?{_WORD_OF_NAME}(?:,? (?:{_LINK} )*{_WORD_OF_NAME})*)"
_KIND = r"(?:(?:[Tt]he )?(?:films|movies|songs|albums|books|novels|singers|bands|magazines|documentaries|plays|games|shows),? )?"
_PAIR = rf"{_KIND}(?P<a>{_NAME}),? and (?P<b>{_NAME})"
_IS = r"(?:are|were|is|was|do|does|did|can|could|have|has|had)"
_SHARE = re.compile(
    r"^(?:[Ww]hat|[Ww]hich) (?:(?P<what>[a-z][\w' -]*?) )?(?:do|does|did) (?:both )?(?P<a>.+?),? and (?P<b>.+?) (?:both )?(?:all )?(?:have in common|share)$"
)
_BOTH_BEFORE = re.compile(rf"^(?P<head>[^?]*?)\bboth (?:the )?{_PAIR}(?P<tail>(?: [a-z][^?]*)?)$")
_BOTH_AFTER = re.compile(rf"^(?:[Bb]oth )?(?P<head>(?:[A-Z][a-z]+ )?(?:[Ww]hat|[Ww]hich)\b[^?]* {_IS} |){_PAIR}(?P<is> {_IS})? both\b(?P<tail> [^?]*)$")
_ASKS = re.compile(r"\b(?:which|what|who|where|when)\b", re.IGNORECASE)
# One of the two is meant, or more is said than that, or each has its own.
_NOT_ALIKE = re.compile(r"[;{]|^(?:what|which) (?:are|were) the [a-z ]+s of\b|\bwhich (?:one|of)\b|[a-z]{3}[.!?] (?-i:[A-Z])|\b(?:who|which|what|where|when)\b.*\b(?:that|who|whose|which)\b", re.IGNORECASE)
_SORT = re.compile(r"\b(?:type|kind|sort|genre|form|style|species|group|category)\b")
_WORD = re.compile(r"\w+")
_SMALL = frozenset("the a an of and or in on at to for by with from as is was were are be his her its their also".split())


@dataclass(frozen=True)
class Common:
    """Two `names`, and the question `asked` about each, with {x} for it."""

    names: tuple[str, str]
    asked: str


def common(question: str) -> Common | None:
    """What a question wants to know of two things alike; None where it does not."""
    text = " ".join(question.split()).rstrip(" ?.!")
    if len(text) > LONGEST_QUESTION or not _ASKS.search(text) or _NOT_ALIKE.search(text):
        return None
    if found := _SHARE.match(text):
        names, what = names_of(found["a"], found["b"]), found["what"]
        asked = "What is {x}?" if not what else f"What {what} is {{x}}?" if _SORT.search(what) else f"What is the {what} of {{x}}?"
        return Common(names, asked) if names else None
    for pattern in (_BOTH_BEFORE, _BOTH_AFTER):
        found = pattern.match(text)
        names = names_of(found["a"], found["b"]) if found else None
        if found and names:
            parts = found.groupdict()
            asked = f"{parts['head']}{{x}}{_singular(parts.get('is') or '')}{parts['tail']}?"
            return Common(names, asked)
    return None


@dataclass(frozen=True)
class OfBoth:
    """The answers that agree, by their places `at` in what was said of each thing, and the `words` they share as the first says them."""

    at: tuple[int, int]
    words: str


def said_of_both(one: Sequence[str], other: Sequence[str]) -> OfBoth | None:
    """Of each thing's answers, best first, the two that share most; None where no two share a word that tells."""
    found = [OfBoth((i, j), words) for i, a in enumerate(one) for j, b in enumerate(other) if _telling(words := _shared(a, b))]
    return max(found, key=lambda both: len(_telling(both.words)) - BEHIND * sum(both.at), default=None)


def _shared(a: str, b: str) -> str:
    """The longest run of words of `a` that stands in `b` too, without small words at its ends."""
    words = list(_WORD.finditer(a))
    run = SequenceMatcher(None, [_folded(w[0]) for w in words], [_folded(w) for w in _WORD.findall(b)], autojunk=False).find_longest_match()
    begin, end = run.a, run.a + run.size
    while begin < end and words[begin][0].lower() in _SMALL:
        begin += 1
    while begin < end and words[end - 1][0].lower() in _SMALL:
        end -= 1
    return a[words[begin].start() : words[end - 1].end()] if begin < end else ""


def _folded(word: str) -> str:
    """One and several of a thing are one word."""
    return word.lower().rstrip("s")


def _telling(text: str) -> set[str]:
    return {w.lower() for w in _WORD.findall(text)} - _SMALL


def _singular(verb: str) -> str:
    return {" are": " is", " were": " was", " do": " does", " have": " has"}.get(verb, verb)
