"""Questions over text that cost nothing: fields of `Name: value` lines, and facts hidden in paragraphs.

Half of the hidden facts are told of names that stand in the text, half of things known by a key (a part number, a
UUID, an identifier), where all keys look alike and only the exact one counts.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

Sample = dict[str, Any]

FIELD = re.compile(r"^(?:[-*] )?([A-Z][A-Za-z ,()/%-]{3,60}): ([^:\n]{1,70})$")
FIELD_LINES = 7
ASK_FIELD = ("What is the {field} of {name}?", "{name}: what is the {field}?", "Which {field} is given for {name}?")
ASK_FACT = ("What is the {what} of {name}?", "Which {what} does {name} have?", "{name} has which {what}?")
STATE_FACT = ("The {what} of {name} is {value}.", "{name} has {value} as its {what}.", "For {name} the {what} is {value}.")
FACTS = {
    "access code": lambda r: str(r.randrange(1000, 10_000_000)),
    "serial number": lambda r: f"{r.choice('ABCDEFGHKMNPRS')}{r.choice('KLMX')}-{r.randrange(100, 99_999)}",
    "registration key": lambda r: str(uuid.UUID(int=r.getrandbits(128), version=4)),
    "port": lambda r: str(r.randrange(80, 65_000)),
    "daily limit": lambda r: f"{r.randrange(2, 900)} {r.choice(('litres', 'requests', 'kg', 'euros', 'pages', 'km'))}",
    "due date": lambda r: f"{r.randrange(1, 29)} {r.choice(('March', 'May', 'July', 'October'))} {r.randrange(1950, 2040)}",
    "waiting time": lambda r: f"{r.randrange(2, 90)} {r.choice(('seconds', 'minutes', 'hours', 'days', 'weeks'))}",
    "share": lambda r: f"{r.randrange(1, 99)}.{r.randrange(10)}%",
}
KEYS = {
    "part": lambda r: f"{r.choice('KRT')}{r.choice('XZ')}-{r.randrange(4100, 4999)}",
    "record": lambda r: str(uuid.UUID(int=r.getrandbits(128), version=4)),
    "order": lambda r: str(r.randrange(100_000, 10_000_000)),
    "setting": lambda r: "_".join(r.sample(("max", "min", "cache", "queue", "retry", "idle", "read", "write", "size"), 3)),
    "host": lambda r: f"{r.choice(('db', 'web', 'mail'))}{r.randrange(1, 60):02}.{r.choice(('north', 'south', 'lab'))}",
    "ticket": lambda r: f"{r.choice(('OPS', 'NET', 'DEV'))}-{r.randrange(100, 2000)}",
}
NAME = re.compile(r"\b[A-Z][a-z]{3,}(?: [A-Z][a-z]{3,})?\b")


def field_samples(records: Iterable[dict[str, Any]], wanted: int, rng: random.Random) -> list[Sample]:
    """One question a run of `Name: value` lines, at most six a record; the record's title is what it is about."""
    found = (sample for record in records for sample in islice(_fields_of(record, rng), 6))
    return list(islice(found, wanted))


def _fields_of(record: dict[str, Any], rng: random.Random) -> Iterator[Sample]:
    lines = record["text"].split("\n")
    name = re.sub(r"\s*\(.*", "", record["title"])
    starts = list(range(0, max(1, len(lines) - FIELD_LINES), FIELD_LINES))
    rng.shuffle(starts)
    for start in starts:
        window = lines[start : start + FIELD_LINES]
        fields = [(i, m) for i, line in enumerate(window) if (m := FIELD.match(line))]
        if len(fields) < 4:
            continue
        i, match = rng.choice(fields)
        value = re.sub(r"\s*\([^)]*\)$", "", match[2]).strip()
        at = sum(len(line) + 1 for line in window[:i]) + match.start(2)
        text = "\n".join(window)
        if not value or text[at : at + len(value)] != value:
            continue
        question = rng.choice(ASK_FIELD).format(field=match[1].lower(), name=name)
        gold = {"title": record["title"], "text": text, "spans": [[at, at + len(value)]]}
        yield {"set": "fields", "question": question, "kind": "span", "golds": [gold], "negatives": []}


def fact_samples(records: Iterable[dict[str, Any]], wanted: int, rng: random.Random) -> list[Sample]:
    """A paragraph with two to four made facts of one kind hidden in it; one in six asks for a name that has none."""
    samples: list[Sample] = []
    for record in records:
        paragraphs = [p for p in record["text"].split("\n") if 200 < len(p) < 700]
        names = sorted({m.group() for m in NAME.finditer(record["text"])})
        if paragraphs and len(names) >= 5:
            paragraph, things = rng.choice(paragraphs), rng.sample(names, 5)
            if rng.random() < 0.5:
                paragraph, things = paragraph if rng.random() < 0.6 else "", _keys(rng)
            samples.append(_fact(record["title"], paragraph, things, rng))
        if len(samples) == wanted:
            break
    return samples


def _keys(rng: random.Random) -> list[str]:
    """Five different keys of one sort, with or without the word for it."""
    sort = rng.choice(list(KEYS))
    keys = list(dict.fromkeys(KEYS[sort](rng) for _ in range(40)))[:5]
    return [f"{sort} {key}" for key in keys] if rng.random() < 0.5 else keys


def _fact(title: str, paragraph: str, names: list[str], rng: random.Random) -> Sample:
    what = rng.choice(list(FACTS))
    told = {name: FACTS[what](rng) for name in names[: rng.randrange(2, 5)]}
    sentences = re.split(r"(?<=[.!?]) ", paragraph) if paragraph else []
    for name, value in told.items():
        line = rng.choice(STATE_FACT).format(what=what, name=name, value=value)
        sentences.insert(rng.randrange(len(sentences) + 1), line)
    text = " ".join(sentences)
    absent = rng.random() < 1 / 6
    asked = names[-1] if absent else rng.choice(list(told))
    question = rng.choice(ASK_FACT).format(what=what, name=asked)
    sample = {"set": "facts", "question": question, "kind": "null", "golds": [], "negatives": []}
    if absent:
        return {**sample, "negatives": [{"title": title, "text": text}]}
    line = next(s for s in sentences if told[asked] in s and asked in s and what in s)
    at = text.index(line) + line.index(told[asked])
    gold = {"title": title, "text": text, "spans": [[at, at + len(told[asked])]]}
    return {**sample, "kind": "span", "golds": [gold]}
