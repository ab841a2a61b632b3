"""Questions over entries that stand in a list: rows of tables, glossaries, options and their descriptions.

Asked from the name to what is said of it, from what is said (with words left out) to the name, and from a row and a
column to the cell. In one question of six the entry is taken out of the text, so that its neighbours do not answer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

Sample = dict[str, Any]

TABLE = re.compile(r"(?:^\|[^\n]*\|[ ]*\n){4,}", re.M)
RULE_ROW = re.compile(r"^\|[ :|-]+\|$")
GLOSS = re.compile(r"^(?P<name>[^\n(]{2,60}) \((?:noun|verb|adjective|adverb)\): (?P<said>[^\n;.]{12,140})", re.M)
BULLET = re.compile(r"^[ ]*[-*] +(?:`(?P<name>[^`\n]{2,40})`|\*\*(?P<bold>[^*\n]{2,40})\*\*) ?(?:[-–—:]|--) +(?P<said>[^\n]{15,160})", re.M)
OPTION = re.compile(r"^[ ]*(?P<name>-{1,2}[A-Za-z][\w-]*(?:[ =][A-Z<\[][\w<>\[\].]*)?)(?:  +|\t+|: | - )(?P<said>[^\n]{15,140})", re.M)
LEFT_OUT = frozenset("a an the of for to in on by with and or that which is are be given any all current specified object".split())
ACTS = re.compile(r"^(?:[A-Z][a-z]+(?:es|s)|Is|Can|Must)\b(?! of\b)")
ROWS = 8
LONGEST = 150
CELL = ("What is the {column} of {name}?", "{name}: which {column}?", "Which {column} belongs to {name}?",
        "What {column} is given for {name}?")  # fmt: skip
TELL = ("What is {name}?", "What does {name} stand for?", "What is said of {name}?")
TELL_ACT = ("What does {name} do?", "What is {name} for?", "What is the purpose of {name}?")
NAME_ACT = ("Which {sort} {said}?", "What {said}?", "Which one {said}?")
NAME = ("Which {sort} is described as {said}?", "What is the name for {said}?", "What do you call {said}?", "{said}: what is it called?")


@dataclass
class Entry:
    """A name, what is said of it, and where the entry and both stand in the text."""

    line: tuple[int, int]
    name: tuple[int, int]
    said: tuple[int, int]


def listed_samples(records: Iterable[dict[str, Any]], wanted: int, rng: random.Random) -> list[Sample]:
    """At most three questions a record."""
    found = (sample for record in records for sample in islice(_of_record(record, rng), 3))
    return list(islice(found, wanted))


def _of_record(record: dict[str, Any], rng: random.Random) -> Iterator[Sample]:
    made = [*_of_tables(record, rng), *_of_lists(record, rng)]
    rng.shuffle(made)
    yield from made[:3]


def _of_tables(record: dict[str, Any], rng: random.Random) -> Iterator[Sample]:
    for match in TABLE.finditer(record["text"]):
        header, rule, *rows = match.group().rstrip("\n").split("\n")
        columns = [c for c, _ in _cells(header)]
        rows = [r for r in rows if len(_cells(r)) == len(columns)]
        if len(columns) < 2 or not RULE_ROW.match(rule.strip()) or len(rows) < 3:
            continue
        first = rng.randrange(max(1, len(rows) - ROWS))
        picked = rng.choice(rows[first : first + ROWS])
        cells = _cells(picked)
        column = rng.randrange(1, len(columns))
        (name, _), (said, at) = cells[0], cells[column]
        if not (2 < len(name) < 60 and 0 < len(said) < LONGEST and columns[column]) or picked in rows[:first]:
            continue
        lines = [header, rule, *rows[first : first + ROWS]]
        text = record["text"][max(0, match.start() - rng.randrange(200)) : match.start()].split("\n", 1)[-1]
        place = sum(len(x) + 1 for x in lines[: lines.index(picked)])
        entry = Entry((place, place + len(picked) + 1), (place + picked.index(name), 0), (place + at, place + at + len(said)))
        entry.name = (entry.name[0], entry.name[0] + len(name))
        body = "\n".join(lines) + "\n"
        if columns[column].lower().startswith(("desc", "purpose", "meaning", "summary", "explan")):
            yield from _asked(record["title"], text, body, entry, columns[0].lower() or "one", rng)
        else:
            question = rng.choice(CELL).format(column=columns[column].strip("`*").lower(), name=name.strip("`*"))
            yield _sample(record["title"], text, body, entry, entry.said, question, rng)


def _of_lists(record: dict[str, Any], rng: random.Random) -> Iterator[Sample]:
    text = record["text"]
    for pattern, sort in ((GLOSS, "word"), (BULLET, "one"), (OPTION, "option")):
        matches = list(pattern.finditer(text))
        # Entries that stand apart are no list.
        if len(matches) < 3:
            continue
        at = rng.randrange(len(matches))
        near = matches[max(0, at - rng.randrange(4)) : at + rng.randrange(2, 5)]
        begin, stop = near[0].start(), min(near[-1].end(), near[0].start() + 1200)
        match = matches[at]
        if match.end() > stop:
            continue
        group = "name" if match.groupdict().get("name") else "bold"
        end_of_line = text.find("\n", match.end())
        name = match.span(group)
        # Of several words for one thing the first.
        name = (name[0], name[0] + len(match[group].split(", ")[0])) if pattern is GLOSS else name
        spans = [(match.start(), (end_of_line if end_of_line >= 0 else len(text)) + 1), name, match.span("said")]
        entry = Entry(*((a - begin, b - begin) for a, b in spans))
        yield from _asked(record["title"], "", text[begin:stop] + "\n", entry, sort, rng)


def _asked(title: str, before: str, body: str, entry: Entry, sort: str, rng: random.Random) -> Iterator[Sample]:
    name, said = (body[slice(*x)].strip() for x in (entry.name, entry.said))
    acts = bool(ACTS.match(said))
    bare = name.strip("`*").split("::")[-1]
    if rng.random() < 0.35:
        question = rng.choice(TELL_ACT if acts else TELL).format(name=bare)
        yield _sample(title, before, body, entry, entry.said, question, rng)
    elif bare.lower() not in said.lower():
        wording = NAME_ACT if acts else NAME
        question = rng.choice(wording).format(sort=sort, said=shortened(said, rng))
        shift = body[slice(*entry.name)].find(bare)
        answer = (entry.name[0] + shift, entry.name[0] + shift + len(bare))
        yield _sample(title, before, body, entry, answer, question[0].upper() + question[1:], rng)


def shortened(said: str, rng: random.Random) -> str:
    """The description as a person remembers it: without its ending, or with small words left out."""
    said = re.sub(r"\s*\([^)]*\)|[`*]", "", said).rstrip(" .;:|")
    said = said[0].lower() + said[1:] if said[1:2].islower() or said[1:2] == " " else said
    clauses = re.split(r"(?<=\w)[,;] | that | which | when ", said)
    if len(clauses) > 1 and len(clauses[0].split()) > 4 and rng.random() < 0.5:
        return clauses[0]
    words = said.split()
    return " ".join(w for i, w in enumerate(words) if not i or w not in LEFT_OUT or rng.random() < 0.7)


def _sample(title: str, before: str, body: str, entry: Entry, answer: tuple[int, int], question: str, rng: random.Random) -> Sample:
    sample = {"set": "listed", "question": question, "kind": "null", "golds": [], "negatives": []}
    if rng.random() < 1 / 6:
        without = before + body[: entry.line[0]] + body[entry.line[1] :]
        return {**sample, "negatives": [{"title": title, "text": without}]}
    span = [len(before) + answer[0], len(before) + answer[1]]
    return {**sample, "kind": "span", "golds": [{"title": title, "text": before + body, "spans": [span]}]}


def _cells(row: str) -> list[tuple[str, int]]:
    """(cell, where it begins) of a row `| a | b |`; a bar after a backslash is no border."""
    cells = []
    for match in re.finditer(r"(?<=\|)((?:\\\||[^|])*)(?=\|)", row):
        cell = match.group().strip()
        cells.append((cell, match.start() + (match.group().find(cell) if cell else 0)))
    return cells
