"""Relatives at one remove -> by way of whom: a paternal grandfather is the father of the father. Of two parents the one that is asked for."""

from __future__ import annotations

import re

from engine.comparing import LONGEST_QUESTION
from engine.nested import NAME

_BY_WAY_OF = {
    "paternal grandfather": "father of the father",
    "paternal grandmother": "mother of the father",
    "maternal grandfather": "father of the mother",
    "maternal grandmother": "mother of the mother",
    "father-in-law": "father of the spouse",
    "mother-in-law": "mother of the spouse",
    "brother-in-law": "brother of the spouse",
    "sister-in-law": "sister of the spouse",
    "sibling-in-law": "sibling of the spouse",
    "stepfather": "husband of the mother",
    "stepmother": "wife of the father",
    "grandson": "son of the child",
    "granddaughter": "daughter of the child",
    "grandchild": "child of the child",
}
_KIN = "|".join(kin.replace("-", "[- ]") for kin in _BY_WAY_OF)
_OF = re.compile(rf"\b(?P<kin>{_KIN}) of\b", re.IGNORECASE)
_WHOSE = re.compile(rf"(?P<name>{NAME})'s (?P<kin>{_KIN})\b")
_PARENT = re.compile(r"^who (?:is|was) (?:the )?(?:(?P<of>father|mother) of|.*'s (?P<whose>father|mother)\W*$)", re.IGNORECASE)
_BOTH = re.compile(r"(?P<father>[A-Z].*?)(?: and |, and )(?:(?:his|her) (?:[a-z]+ ){1,2})?(?P<mother>(?:the )?[A-Z].*)")


def spelled_out(question: str) -> str:
    """The question with such relatives told by two steps; the same question where it names none."""
    if len(question) > LONGEST_QUESTION:
        return question
    question = _WHOSE.sub(lambda m: f"the {_by_way_of(m['kin'])} of {m['name']}", question)
    return _OF.sub(lambda m: f"{_by_way_of(m['kin'])} of", question)


def _by_way_of(kin: str) -> str:
    kin = kin.lower()
    return _BY_WAY_OF.get(kin) or _BY_WAY_OF[kin.replace(" ", "-")]


def of_both_parents(question: str, answer: str) -> tuple[int, int] | None:
    """Where in "father and mother" the one stands that the question asks for; None for other questions and answers."""
    asked, both = _PARENT.match(question), _BOTH.fullmatch(answer)
    return both.span((asked["of"] or asked["whose"]).lower()) if asked and both else None
