"""Questions that need two passages, from templates over facts read out of encyclopedia introductions.

Bridges (the director of a film, then when that person was born), comparisons (which of two is earlier; the answer is a
name in one of the passages) and yes/no (are two people of one nationality).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

Sample = dict[str, Any]
Span = tuple[int, int]

MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE = rf"(?:\d{{1,2}} (?:{MONTH}) |(?:{MONTH}) \d{{1,2}}, |(?:{MONTH}) )?\d{{4}}"
BORN = re.compile(rf"\((?:[^()]{{0,60}}?\b)?(?:born |b\. |)(?:c\. )?({DATE})\b(?: ?[–-] ?(?:c\. )?({DATE}))?")
PERSON = re.compile(
    r"\b(?:is|was) (?:an?|the) (?:former |retired |late )?([A-Z][a-z]+(?:-[A-Z][a-z]+)?) (?=[a-z][\w -]*?"
    r"(?:er|or|ist|ian|ress|player|man|woman|author|poet|artist|star|general|king|queen)\b)"
)
WORK = re.compile(
    r"\b(?:is|was) (?:an?|the) (?:\w+ )?(\d{4}) (?:[\w-]+ ){0,5}?(film|album|song|novel|book|opera|play|single|game)\b"
)
NAME = r"((?:(?:[A-Z]\.|[A-Z][\w'-]+) ?(?:de |von |van )?){2,4})"
MAKER = re.compile(rf"\b(directed|written|composed|performed|recorded|sung)(?: and \w+)? by {NAME}")
OWNER = re.compile(rf"\b(album|song|single|novel|book|opera|play) by (?:\w+ ){{0,4}}?{NAME}")
ROLES = {
    "directed": "director", "written": "writer", "composed": "composer", "performed": "performer",
    "recorded": "performer", "sung": "singer", "album": "performer", "song": "performer", "single": "performer",
    "novel": "author", "book": "author", "opera": "composer", "play": "author",
}  # fmt: skip
ASK_BORN = ("When was the {role} of {work} born?", "What is the date of birth of the {role} of {work}?",
            "When was the {role} of the {kind} {work} born?", "What year was the {role} of {kind} {work} born?")  # fmt: skip
ASK_DIED = ("When did the {role} of {work} die?", "What is the date of death of the {role} of the {kind} {work}?")
ASK_NATION = ("What nationality is the {role} of {work}?", "What is the nationality of the {role} of the {kind} {work}?",
              "Which country does the {role} of {kind} {work} come from?")  # fmt: skip
ASK_ROLE = ("Who is the {role} of {work}?", "Who is the {role} of the {kind} {work}?")
FIRST_BORN = ("Who was born first, {a} or {b}?", "Who is older, {a} or {b}?", "Who was born earlier, {a} or {b}?",
              "Who is the older one, {a} or {b}?", "Which of {a} and {b} was born first?")  # fmt: skip
LAST_BORN = ("Who was born later, {a} or {b}?", "Who is younger, {a} or {b}?", "Which of {a} and {b} is the younger?")
FIRST_DEAD = ("Who died first, {a} or {b}?", "Who died earlier, {a} or {b}?")
LAST_DEAD = ("Who died later, {a} or {b}?", "Who lived until a later year, {a} or {b}?")
FIRST_WORK = ("Which {kind} came out first, {a} or {b}?", "Which {kind} was released earlier, {a} or {b}?",
              "Which {kind} is older, {a} or {b}?", "Which one was released first, {a} or {b}?")  # fmt: skip
LAST_WORK = ("Which {kind} came out later, {a} or {b}?", "Which {kind} was released more recently, {a} or {b}?",
             "Which {kind} is newer, {a} or {b}?")  # fmt: skip
SAME_NATION = ("Are {a} and {b} of the same nationality?", "Do {a} and {b} have the same nationality?",
               "Are {a} and {b} from the same country?", "Did {a} and {b} share the same nationality?")  # fmt: skip
BOTH_NATION = ("Are both {a} and {b} {nation}?", "Were {a} and {b} both {nation}?")
INTRO = 700


@dataclass
class Entry:
    """A person or a work, as its introduction tells of it: where in `text` each fact stands."""

    title: str
    name: str
    text: str
    facts: dict[str, Span] = field(default_factory=dict)
    kind: str = ""
    maker: tuple[str, str] | None = None

    def fact(self, name: str) -> str:
        return self.text[slice(*self.facts[name])]

    def year(self, name: str) -> int:
        return int(self.fact(name)[-4:])

    def passage(self, *facts: str) -> dict[str, Any]:
        return {"title": self.title, "text": self.text, "spans": [list(self.facts[f]) for f in facts]}


def entry_of(record: dict[str, Any]) -> Entry | None:
    """The facts an introduction states; None where it names neither a person with a birth date nor a dated work."""
    text = record["text"].split("\n# ")[0][:INTRO]
    name = re.sub(r"\s*\([^)]*\)$", "", record["title"])
    at = text.find(name)
    if not 0 <= at < 40 or len(name) < 4:
        return None
    found = Entry(record["title"], name, text, {"name": (at, at + len(name))})
    if (born := BORN.search(text, at, 220)) and (person := PERSON.search(text, born.end(), 400)):
        found.kind = "person"
        found.facts.update(born=born.span(1), nation=person.span(1))
        if born[2]:
            found.facts["died"] = born.span(2)
        return found
    if work := WORK.search(text, at, 250):
        found.kind = work[2]
        found.facts["year"] = work.span(1)
        if made := MAKER.search(text) or OWNER.search(text):
            found.maker = (ROLES[made[1]], made[2].strip())
            found.facts["maker"] = (made.start(2), made.start(2) + len(found.maker[1]))
        return found
    return None


def hop_samples(records: Iterable[dict[str, Any]], wanted: int, rng: random.Random) -> list[Sample]:
    """`wanted` questions, half of them comparisons."""
    entries = {e.name: e for record in records if (e := entry_of(record))}
    people = [e for e in entries.values() if e.kind == "person"]
    works = [e for e in entries.values() if e.kind != "person"]
    made = [e for e in works if e.maker]
    bridges = [(w, entries[w.maker[1]]) for w in made if w.maker and w.maker[1] in entries]
    bridges = [(w, p) for w, p in bridges if p.kind == "person"]
    dead = [p for p in people if "died" in p.facts]
    makers: list[tuple[int, bool, Callable[[], Sample | None]]] = [
        (5, bool(bridges), lambda: _bridge(*rng.choice(bridges), rng)),
        (2, bool(made), lambda: _single(rng.choice(made), rng)),
        (3, len(people) > 1, lambda: _compared(*rng.sample(people, 2), "born", FIRST_BORN, LAST_BORN, rng)),
        (1, len(dead) > 1, lambda: _compared(*rng.sample(dead, 2), "died", FIRST_DEAD, LAST_DEAD, rng)),
        (3, len(works) > 1, lambda: _compared(*_alike(works, rng), "year", FIRST_WORK, LAST_WORK, rng)),
        (3, len(people) > 1, lambda: _nations(*rng.sample(people, 2), people, rng)),
    ]
    possible = [(weight, make) for weight, material, make in makers if material]
    if not possible:
        return []
    weights, functions = zip(*possible, strict=True)
    drawn = (rng.choices(functions, weights)[0]() for _ in range(4 * wanted))
    pools = {"person": people, "work": works}
    return list(islice((_with_negatives(s, pools, rng) for s in drawn if s), wanted))


def _bridge(work: Entry, person: Entry, rng: random.Random) -> Sample | None:
    asked = {"born": ASK_BORN, "died": ASK_DIED, "nation": ASK_NATION}
    what = rng.choice([f for f in asked if f in person.facts])
    role = work.maker[0] if work.maker else ""
    question = rng.choice(asked[what]).format(role=role, work=work.name, kind=work.kind)
    return _sample(question, "span", [work.passage(), person.passage(what)])


def _single(work: Entry, rng: random.Random) -> Sample | None:
    role = work.maker[0] if work.maker else ""
    return _sample(rng.choice(ASK_ROLE).format(role=role, work=work.name, kind=work.kind), "span", [work.passage("maker")])


def _alike(works: list[Entry], rng: random.Random) -> tuple[Entry, Entry]:
    """Two works of one kind."""
    first = rng.choice(works)
    return first, rng.choice([w for w in rng.sample(works, min(40, len(works))) if w.kind == first.kind] or [first])


def _compared(
    a: Entry, b: Entry, fact: str, first: tuple[str, ...], last: tuple[str, ...], rng: random.Random
) -> Sample | None:
    if a.name == b.name or a.year(fact) == b.year(fact):
        return None
    early, late = sorted((a, b), key=lambda e: e.year(fact))
    wording, winner, other = (first, early, late) if rng.random() < 0.6 else (last, late, early)
    question = rng.choice(wording).format(a=a.name, b=b.name, kind=a.kind)
    return {**_sample(question, "span", [winner.passage("name"), other.passage()]), "needs_all": True}


def _nations(a: Entry, b: Entry, people: list[Entry], rng: random.Random) -> Sample | None:
    if rng.random() < 0.5:
        # Two at random are seldom of one nation.
        b = next((p for p in rng.sample(people, min(60, len(people))) if p.fact("nation") == a.fact("nation") and p is not a), b)
    same = a.fact("nation") == b.fact("nation")
    wording = SAME_NATION if rng.random() < 0.6 else BOTH_NATION
    question = rng.choice(wording).format(a=a.name, b=b.name, nation=rng.choice((a, b)).fact("nation"))
    return {**_sample(question, "yes" if same else "no", [a.passage(), b.passage()]), "needs_all": True}


def _sample(question: str, kind: str, golds: list[dict[str, Any]]) -> Sample:
    return {"set": "hops", "question": question, "kind": kind, "golds": golds, "negatives": []}


def _with_negatives(sample: Sample, pools: dict[str, list[Entry]], rng: random.Random) -> Sample:
    """Others of the same sort, which say the same about somebody else."""
    titles = {g["title"] for g in sample["golds"]}
    picked = [rng.choice(pool) for pool in pools.values() if pool for _ in range(2)]
    return {**sample, "negatives": [{"title": e.title, "text": e.text} for e in picked if e.title not in titles][:3]}
