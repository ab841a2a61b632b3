"""Questions that compare two named things -> what to ask about each, and how the two values decide.

"Who was born first, A or B?" asks when each was born and takes the earlier one; "Are A and B of the same nationality?"
asks the nationality of each. Reading finds facts well and compares them no better than chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.values import Value, date, number, order

if TYPE_CHECKING:
    from engine.model.interface import Evidence

LONGEST_NAME = 90
LONGEST_QUESTION = 400
"""Characters; longer ones are stories, and patterns would be slow on them."""
DAYS = (365.25, 30.4, 1.0)
MIDDLE = (0.0, 7.0, 1.0)
"""Month and day of a date that names neither."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Comparison:
    """Two `names`, and of each the questions `asked` with {x} for it: one, or two for the time between them. `value` reads an
    answer; the name whose value is the `least` or the most is meant; where `same`, whether the values are alike."""

    names: tuple[str, str]
    asked: tuple[str, ...]
    value: Callable[[str], Value | frozenset[str] | None]
    least: bool = False
    same: bool = False

    def through(self, name: str) -> bool:
        """Whether the fact is one about something else that `name` leads to, like the director of a film."""
        return any(_LEADS.search(asked.format(x=name)) for asked in self.asked)

    def decide(self, one: list[str], other: list[str]) -> str | None:
        """The answer from each name's facts as they were read: a name, yes or no; None where they do not tell."""
        a, b = self._worth(one), self._worth(other)
        if a is None or b is None:
            return None
        if isinstance(a, frozenset) or isinstance(b, frozenset):
            return "yes" if _akin(frozenset(a), frozenset(b)) else "no"
        if self.same:
            return "yes" if a[0] == b[0] else "no"
        sign = order(a, b)
        return self.names[(sign > 0) == self.least] if sign else None

    def _worth(self, facts: list[str]) -> Value | frozenset[str] | None:
        values = [self.value(fact) for fact in facts]
        if None in values:
            return None
        if len(values) == 1:
            return values[0]
        begin, end = ((*value, *MIDDLE[len(value) :]) for value in values)
        lasted = sum((b - a) * days for a, b, days in zip(begin, end, DAYS, strict=True))
        return (lasted,) if lasted > 0 else None


def comparison(question: str) -> Comparison | None:
    """What a question compares; None where it compares nothing that can be asked of each."""
    text = " ".join(question.split()).rstrip(" ?!")
    return (_same(text) or _which(text)) if len(text) <= LONGEST_QUESTION else None


def speaks_of(name: str, evidence: Iterable[Evidence]) -> bool:
    """Whether a piece of evidence holds all words of a name that begin with a capital or a digit."""
    words = {w.lower() for w in _WORD.findall(name) if not w[0].islower()}
    return any(words <= {w.lower() for w in _WORD.findall(f"{e.title} {e.text}")} for e in evidence)


def _pattern(text: str) -> re.Pattern[str]:
    """Blanks in `text` stand for themselves, line breaks and what indents them for nothing."""
    return re.compile("".join(line.strip() for line in text.splitlines()), re.IGNORECASE)


_LEADS = re.compile(r"\b(?!population)[a-z]+ of (?:the )?(?:[a-z]+ )?[^a-z]")
_FIRST = r"(?:first|earlie(?:r|st)|sooner|at an earlier date)"
_LAST = r"(?:last|late(?:r|st)|more recently|most recently|at a later date)"
_WHEN = rf"(?:(?P<first>{_FIRST})|(?P<last>{_LAST}))"
_BARE = ("release", "open", "start", "form", "launch", "air")
_DONE = (
    r"(?P<done>released|published|founded|formed|established|created|made|built|started|launched|produced|opened|filmed|aired"
    r"|premiered|introduced|developed|decided|written|completed|incorporated|recorded|invented|discovered|constructed|held|fought"
    rf"|{'|'.join(_BARE)})"
)
# What is left of a question once its names are taken out -> the question about one of them; tried in this order.
_RULES: tuple[tuple[re.Pattern[str], str, Callable[[str], Value | None]], ...] = (
    (_pattern(rf"\bborn {_WHEN}"), "When was {x} born?", date),
    (_pattern(rf"\b(?:died|die|passed away) {_WHEN}"), "When did {x} die?", date),
    (_pattern(rf"\b{_DONE}\b.*? ?\b{_WHEN}"), "When was {x} DONE?", date),
    (_pattern(rf"\b(?:came|come) out {_WHEN}"), "When was {x} released?", date),
    (_pattern(rf"\b(?:came|come|happen(?:ed)?|occur(?:r?ed)?|(?:took|take) place) {_WHEN}"), "When was {x}?", date),
    (_pattern(r"\b(?:(?P<first>older|oldest|elder)|(?P<last>younger|youngest|newer|newest|more recent))\b"), "AGE", date),
    (_pattern(r"\blived? (?:a )?(?:(?P<last>longer|longest)|(?P<first>shorter))\b"), "LIFE", date),
    (
        _pattern(r"\b(?:(?P<last>larger|bigger|greater|higher) population|(?P<first>smaller|lower) population)\b"),
        "What is the population of {x}?",
        number,
    ),
    (_pattern(r"\b(?:(?P<last>taller|tallest|higher|highest)|(?P<first>lower|shorter))(?=[\s,:?]*$)"), "How high is {x}?", number),
    (
        _pattern(
            r"""\b(?:has|have|had|contains?|won|released|includes?|with|written|wrote) (?:the )?
            (?:(?P<last>more|most)|(?P<first>fewer|fewest|less)) (?P<what>[\w' -]+)"""
        ),
        "How many WHAT does {x} have?",
        number,
    ),
)
_AGES = (
    (
        _pattern(
            r"\b(?:film|movie|documentary|album|song|single|book|novel|magazine|newspaper|series|show|game|opera|play|episode)s?\b"
        ),
        "When was {x} released?",
    ),
    (
        _pattern(
            r"""\b(?:university|school|college|company|band|club|institution|party|organi[sz]ation|city|town|group|brand|museum
            |library|church|agency)\b"""
        ),
        "When was {x} founded?",
    ),
    (_pattern(r"\b(?:building|tower|bridge|castle|cathedral|stadium|airport|house|ship|dam|temple)\b"), "When was {x} built?"),
)
_OWNER = _pattern(
    r"""\b(?:has|had|with) (?:the|a) (?P<has>[a-z]+) (?:(?:who|that|which)\b|(?=born\b|died\b|is\b|was\b))
    |\bwhose (?P<whose>[a-z]+)\b|^(?:which|what) [a-z]+'s (?P<poss>[a-z]+)\b"""
)
_KEY = (
    rf"(?:{_FIRST}|{_LAST}|older|oldest|elder|younger|youngest|newer|newest|more recent|higher|taller|lower|shorter|longer"
    r"|(?:larger|bigger|smaller|higher|greater) population)"
)
_MORE = r"(?:more|most|fewer|fewest)"
_OF_THEM = r"(?:,? (?:of|out of|from) the (?:two|pair))?"
_MARK = r" ?(?:[,:;?]|--?|\u2013) ?"
_ENDS = r"(?P<a>.+?),? or (?P<b>.+)$"
# Without a mark before it a name is told by its capital.
_NAMED = r" (?P<a>(?-i:[\"'\u201c]?(?:the |[A-Z0-9])).*?),? or (?P<b>.+)$"
_VERB = r"(?:was|were|is|has|had|came|died)"
_WHICH = tuple(
    _pattern(text)
    for text in (
        rf"^(?P<head>(?:who|which|what)\b.*?\b{_KEY}(?: (?-i:[a-z'-]+))*?){_OF_THEM}{_MARK}{_ENDS}",
        rf"^(?P<head>(?:who|which|what)\b[^,:;?]*?\b{_MORE} (?!than\b)[^,:;?]+?){_OF_THEM} ?[,:;?] ?{_ENDS}",
        rf"^(?P<head>(?:who|which|what)\b.*?\b{_KEY}(?: (?-i:[a-z'-]+))*?){_OF_THEM}{_NAMED}",
        rf"^(?P<head>(?:who|which|what)\b[^,:;?]*?\b{_MORE}(?: (?-i:(?!than\b)[a-z'-]+))+?){_OF_THEM}{_NAMED}",
        rf"^(?P<head>(?:who|which|what)\b.*?\b{_KEY},?) (?:between|out of|of) (?P<a>.+?) (?:or|and) (?P<b>.+)$",
        rf"^(?P<head>(?:who|which|what)(?: [a-z]+){{0,4}}), (?P<a>.+?),? or (?P<b>.+?), (?P<tail>{_VERB} .+)$",
        rf"^(?P<head>who|which|what)(?: [a-z]+){{0,3}},? (?:of|between|out of) (?P<a>.+?),? (?:or|and) (?P<b>.+?),? (?P<tail>{_VERB} .+)$",
        r"^(?:of|between|out of) (?P<a>.+?),? (?:or|and) (?P<b>.+?), (?P<tail>(?:who|which|what) .+)$",
        rf"^(?:was|were|is|are) (?P<a>.+?) or (?P<b>.+?) (?P<tail>(?:(?:{_DONE}|born) .*?(?:{_FIRST}|{_LAST})|older|younger|newer|higher|taller)\b.*)$",
        r"^did (?P<a>.+?) or (?P<b>.+?) (?P<tail>(?:come|happen|occur|die|open|start|form|launch|air|take) .+)$",
    )
)


def _which(text: str) -> Comparison | None:
    for pattern in _WHICH:
        found = pattern.match(text)
        names = names_of(found["a"], found["b"]) if found else None
        if found and names:
            parts = found.groupdict()
            return _ruled(" ".join(parts[name] for name in ("head", "tail") if parts.get(name)), names)
    return None


def _ruled(asked: str, names: tuple[str, str]) -> Comparison | None:
    """The comparison that the rest of a question asks for; about whom its names lead to, where it says so."""
    owner = _OWNER.search(asked)
    for pattern, template, value in _RULES:
        found = pattern.search(asked, owner.end() if owner else 0)
        if not found:
            continue
        parts = found.groupdict()
        if template == "AGE":
            kinds = () if owner else _AGES
            template = next((said for kind, said in kinds if kind.search(asked)), "When was {x} born?")
        template = template.replace("DONE", _done(parts.get("done") or "")).replace("WHAT", (parts.get("what") or "").strip())
        templates = ("When was {x} born?", "When did {x} die?") if template == "LIFE" else (template,)
        if owner:
            work = _AGES[0][0].search(asked, 0, owner.end())
            led = f"the {next(filter(None, owner.groups()))} of {work[0] + ' ' if work else ''}{{x}}"
            templates = tuple(t.format(x=led) for t in templates)
        return Comparison(names, templates, value, least=bool(parts["first"]))
    return None


def _done(verb: str) -> str:
    verb = verb.lower()
    return f"{verb.removesuffix('e')}ed" if verb in _BARE else verb


_SAME = _pattern(
    r"""^(?:are|were|is|was|do|did|does|have)\s+(?:both\s+)?(?P<names>.+? and .+?),?\s+
    (?P<rest>(?:both\s+)?(?:of(?= the same| same)|from|have|has|share|in|born|located|situated|based|native|released|published
    |founded|formed|established|made|originate|come|belong|directed)\b.*\bsame (?P<what>nationality|country|state|city|continent|province|county|family|genus
    |league|team|party|company|place|year)\b.*)$"""
)
_ROLE_OF = _pattern(r"^(?:the )?(?P<role>[a-z]+?)s of (?:both )?(?:the )?(?P<kind>(?-i:[a-z]+ ))?(?P<names>.+)$")
_WITH_ROLE = _pattern(r"^(?:have|has) (?:the )?(?P<role>[a-z]+?)s\b")
_KIND = _pattern(
    r"""^(?:both )?(?:the )?(?P<kind>films?|movies?|songs?|albums?|books?|novels?|singers?|bands?|magazines?|documentaries),?\s
    (?P<names>.+)$"""
)


def _same(text: str) -> Comparison | None:
    found = _SAME.match(text)
    if not found:
        return None
    rest, what = found["rest"], found["what"].lower()
    grouped = _ROLE_OF.match(found["names"]) or _KIND.match(found["names"])
    parts = grouped.groupdict() if grouped else {"names": found["names"]}
    names = names_of(*parts["names"].split(" and ", 1)) if " and " in parts["names"] else None
    if names is None:
        return None
    with_role = _WITH_ROLE.match(rest)
    role = parts.get("role") or (with_role["role"] if with_role else "")
    kind = (parts.get("kind") or "").strip().rstrip("s")
    x = f"the {role} of {kind + ' ' if kind else ''}{{x}}" if role else "{x}"
    if what == "year":
        done = re.search(rf"\b{_DONE}|\bborn\b", rest, re.IGNORECASE)
        return Comparison(names, (f"When was {x} {_done(done[0]) if done else 'released'}?",), date, same=True)
    if what == "nationality":
        return Comparison(names, (f"What nationality is {x}?",), _places, same=True)
    if what == "place" or re.search(r"\bborn\b", rest, re.IGNORECASE):
        return Comparison(names, (f"Where was {x} born?",), _places, same=True)
    asked = "Which {what} is {x} from?" if re.search(r"\b(?:from|come|originate|belong|have|has)\b", rest) else "In which {what} is {x}?"
    return Comparison(names, (asked.format(what=what, x=x),), _places, same=True)


def names_of(a: str, b: str) -> tuple[str, str] | None:
    one, other = (name.strip(" ,;:\"'\u201c\u201d") for name in (a, b))
    fit = all(0 < len(name) <= LONGEST_NAME and any(c.isupper() or c.isdigit() for c in name) for name in (one, other))
    return (one, other) if fit and one != other else None


def _places(text: str) -> frozenset[str] | None:
    """Names of places and peoples in an answer."""
    return frozenset(word.lower() for word in re.findall(r"[A-Z][\w.]+", text)) or None


def _akin(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two answers name one place, also as a land and its people (Norway, Norwegian)."""
    return any(a[:4] == b[:4] for a in one for b in other)
