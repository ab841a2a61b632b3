"""Questions that lead over two things before they ask -> the question about the innermost, and what is left to ask.

"In which county is the birthplace of the director of X?" asks first who the director of X is, then in which county that
person's birthplace is. One such step the loop takes by itself, hopping from document to document; of two it reads the
first one's answer for the second one's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.comparing import LONGEST_QUESTION

# Stands for an answer not known yet.
SOMEBODY = "Xyzzy"
PEOPLE = "director|singer|artist|author|writer|composer|founder|president|king|queen|leader|coach|manager|member|player"
_PEOPLE = re.compile(
    rf"\b(?:{PEOPLE}|performer|creator|owner|producer|inventor|designer|architect|discoverer|mayor|father|mother|parent|son|daughter|child"
    r"|spouse|wife|husband|brother|sister|sibling|drummer|guitarist|screenwriter|lyricist|narrator|sculptor|painter|winner|successor"
    r"|predecessor)s?$"
)
_SMALL = r"(?:of|the|de|du|van|von|and|la|le|for|in|to|at|on|a)"
# A name in quotation marks, or words with capitals, small ones between them.
_WORD = r"[A-Z0-9](?:(?!'s\b)[\w.'&:-])*"
NAME = rf"(?:\"[^\"]+\"|{_WORD}(?:,? (?:{_SMALL} )*{_WORD})*)"
_THING = rf"(?:the )?(?P<kind>(?:(?!of\b)[a-z]+ ){{0,2}}?)(?P<name>{NAME})"
_VERB = r"[a-z]+(?:ed|t|de|ew|ote|ang|uns|ns|es|s)(?: (?:by|in|for|on|to))?"
# "The Blue Hours performer" made it; "the Canadian performer" is from there.
_NATION = r"[A-Z][a-z]+(?:an|ish|ese|ch|sh|ic)"
_MAKERS = "performer|director|author|writer|composer|creator|developer|publisher|producer|screenwriter|manufacturer|designer|distributor"
_STEPS = (
    (re.compile(rf"\b(?:the )?(?P<role>[a-z]+(?: [a-z]+)?) of {_THING}"), None),
    (re.compile(rf"\bthe (?P<what>[a-z]+(?: [a-z]+)?) (?:that|which|who) (?P<did>{_VERB}) {_THING}"), "Which {what} {did} {thing}?"),
    (
        re.compile(rf"\bthe (?P<what>[a-z]+(?: [a-z]+)?) (?:where|in which) {_THING} (?P<is>is|was|lies|died|lived)\b(?P<rest> [a-z]+ed| born)?"),
        "In which {what} {is} {thing}{rest}?",
    ),
    (re.compile(rf"(?P<name>{NAME})'s (?P<role>[a-z]+)\b"), None),
    (re.compile(rf"\bthe (?!(?:{_NATION}) )(?P<name>{NAME}) (?P<role>{_MAKERS})\b(?! (?:of|[A-Z]))"), None),
)
_ITSELF = re.compile(r"^(?:who|what|which [a-z]+)(?: exactly)? (?:is|was|are|were) (?:the )?$", re.IGNORECASE)
# What follows them is no thing that a further question could be asked about.
NOT_ROLES = frozenset(
    "kind type sort part number name year date time lot end one some any many most all out because instead birth death age height length"
    " weight size area population nationality birthday occupation profession cause meaning title beginning middle rest whole edge side use"
    " a an he she it they also and or is was are were has had have which that who whom whose what for in at to from by".split()
)


@dataclass(frozen=True)
class Step:
    """`asked` finds what stands in the question between `before` and `after`."""

    asked: str
    before: str
    after: str

    def taken(self, answer: str) -> str:
        """The question with the answer in its place."""
        return self.before + answer + self.after


def first_step(question: str, led: bool = False) -> Step | None:
    """The innermost thing that a question leads over, if it leads over a second one after it, or is what is left of one that did
    (`led`); else None."""
    step = _innermost(question) if len(question) <= LONGEST_QUESTION else None
    if step is None or led:
        return step
    after = _innermost(step.taken(SOMEBODY))
    return step if after and SOMEBODY not in after.before + after.after else None


def person_first(question: str) -> Step | None:
    """The innermost thing, if it is a person told by what they are to something else: "the director of X"."""
    step = first_step(question, led=True)
    return step if step and step.asked.startswith("Who ") else None


def _innermost(question: str) -> Step | None:
    """The last of the things that are told by another's name; None where it is all that is asked."""
    found = [(m.end(), -m.start(), m, said) for pattern, said in _STEPS for m in pattern.finditer(question)]
    for _, _, match, said in sorted(found, key=lambda x: x[:2], reverse=True):
        parts = {name: value or "" for name, value in match.groupdict().items()}
        role = parts.get("role", "").removeprefix("the ")
        before = question[: match.start()]
        owned = "'s " in match[0] and before.endswith((" of ", " of the "))
        described = re.fullmatch(_NATION, parts["name"]) and re.match(r" [a-z]", question[match.end() :])
        if set(role.split()) & NOT_ROLES or owned or described or question[match.end() :].startswith("'s"):
            continue
        thing = f"{parts.get('kind', '')}{parts['name']}"
        asked = said.format(**parts, thing=thing) if said else f"{'Who' if _PEOPLE.search(role) else 'What'} is the {role} of {thing}?"
        rest = question[match.end() :].strip(" ?.!")
        if rest or not _ITSELF.match(before):
            return Step(asked, before, question[match.end() :])
    return None
