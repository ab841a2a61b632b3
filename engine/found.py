"""A reading in its place: what stands around it, what speaks for it, and how sure the best of many is."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

from engine.answer_type import asks_for_class, asks_for_exception, asks_for_explanation, asks_for_parent, fits
from engine.assigned import in_bases, is_base, is_stated
from engine.grounding import quote_span
from engine.model.interface import Context, Evidence, Reading
from engine.model.tables import column_names
from engine.spoken_code import said_share

_WORD = re.compile(r"\w+")
_NAMES = re.compile(r"(?<!^)(?<![.?!:] )\b(?!I\b)([A-Z]\w*|\w*\d\w*|\w+_\w+)\b")
_ARTICLE = re.compile(r"^(?:an?|the) (?=.)")


@dataclass
class Found:
    """A reading in its place: the context it was read in, what speaks for it, and the score it ranks by."""

    context: Context
    reading: Reading
    features: dict[str, float] = field(default_factory=dict)
    score: float = 0.0

    @property
    def evidence(self) -> Evidence:
        return self.context.evidence[self.reading.piece]

    @property
    def sentence(self) -> str:
        """What stands around the answer, or around what it was read off."""
        number, start, end = self.reading.read_off or (self.reading.piece, self.reading.start, self.reading.end)
        piece = self.context.evidence[number]
        return piece.text[slice(*quote_span(piece.text, start, end, by_line=bool(piece.separator)))]

    @cached_property
    def said(self) -> str:
        """The same, with the name of the column in front if the answer is a cell of a table."""
        piece, sentence = self.evidence, self.sentence
        names = [] if piece.code else column_names(piece.text, piece.columns, piece.separator)
        at = bisect_right(names, self.reading.start, key=lambda cell: cell[0])
        return f"{names[at - 1][1]}: {sentence}" if at and (piece.separator or "|" in sentence) else sentence

    @property
    def same(self) -> str:
        """Equal for readings that give the same answer; where how or why is asked, that is their sentence."""
        return folded(self.sentence if asks_for_explanation(self.context.question) and self.reading.kind == "span" else self.text)

    def worded(self, question: str) -> float:
        """How much of the question's wording stands around the answer, or is said of it by code, 0..1."""
        piece, start, end = self.evidence, self.reading.start, self.reading.end
        return max(asked_share(question, self.said), said_share(question, piece.text, start, end, piece.title, piece.code))

    @property
    def named(self) -> float:
        """How many of the names, numbers and identifiers that the question says are told with the answer, 0..1: in its sentence, its
        title or what was read before."""
        asked = names_of(self.context.question)
        if not asked or self.reading.kind != "span":
            return 0.0
        others = (e.text for n, e in enumerate(self.context.evidence) if n != self.reading.piece)
        told = set(_WORD.findall(" ".join((self.evidence.title, self.said, *others)).lower()))
        return sum(name in told for name in asked) / len(asked)

    @property
    def stated(self) -> bool:
        """Whether code says by its form that this is what is asked for."""
        piece = self.evidence
        return piece.code and is_stated(self.context.question, piece.text, self.reading.start, self.reading.end)

    @property
    def fits(self) -> float:
        """Whether the answer is of the sort that is asked for (answer_type.fits); of exceptions one that others derive from here is not
        the one that is raised, and what a class derives from is not the class that does something."""
        question, piece = self.context.question, self.evidence
        if piece.code and not asks_for_parent(question):
            if asks_for_exception(question) and is_base(piece.text, self.text):
                return -1.0
            if asks_for_class(question) and in_bases(piece.text, self.reading.start):
                return -1.0
        return fits(question, self.text)

    @property
    def text(self) -> str:
        """The answer, verbatim from the evidence; or yes or no."""
        r = self.reading
        return self.evidence.text[r.start : r.end] if r.kind == "span" else r.kind


def share_of_best(found: list[Found]) -> float:
    """Of all that readings (best first) weigh by their scores' softmax, the share that says what the best one says."""
    weights = [math.exp(f.score - found[0].score) for f in found]
    return sum(w for w, f in zip(weights, found, strict=True) if f.same == found[0].same) / sum(weights)


def sureness(found: list[Found]) -> dict[str, float]:
    """What tells how sure the best of readings (best first) is: its score, the log of its answer's share, how relevant its
    document is, and for a yes or no how doubtful it is that evidence says so."""
    relevance, doubt = (found[0].features.get(name, 0.0) for name in ("relevance", "doubt"))
    return {"score": found[0].score, "share": math.log(share_of_best(found)), "relevance": relevance, "doubt": doubt}


def folded(answer: str) -> str:
    """An answer's words alone, without its article: two that say the same are equal."""
    return _ARTICLE.sub("", " ".join(answer.lower().split()).strip(" .,;:"))


def names_of(question: str) -> set[str]:
    """Words of a question that name one thing: capitalised ones that do not begin a sentence, numbers, identifiers; in lower case."""
    return {m[1].lower() for m in _NAMES.finditer(question)}


def asked_share(question: str, sentence: str) -> float:
    """How much of the question's wording stands in a sentence, 0..1; a word counts by its length, for long words are
    rare, and identifiers decide."""
    asked = {w for w in _WORD.findall(question.lower()) if len(w) > 2}
    said = set(_WORD.findall(sentence.lower()))
    return sum(len(w) for w in asked & said) / max(1, sum(map(len, asked)))
