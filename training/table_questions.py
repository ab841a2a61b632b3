"""Questions over tables that cost nothing: cells of tables put together again from their rows, in the forms tables take.

The rows are passages of a question set that tells each row as `column: value; column: value`, under the table's title.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

Sample = dict[str, Any]

CELL = re.compile(r"[^:;|]{1,40}: [^;|]+")
NUMBERING = re.compile(r"(?i)rank|no\b|#|pos|year|date|season")
SENTENCE_END = re.compile(r"(?<=[.!?]) ")
PROSE = (60, 320)
UNIT = re.compile(r"\s*[(\[].*?[)\]]")
ASKED = (
    "What is the {column} of {name}?",
    "What {column} does {name} have?",
    "Which {column} belongs to {name}?",
    "{name}: what is the {column}?",
    "What does the table give as {column} for {name}?",
    "How about {name}, what is its {column}?",
    "Tell me the {column} for {name}.",
    "What {column} is listed for {name}?",
    "For {name}, which {column} applies?",
    "What is {name}'s {column}?",
)
TURNED = (
    "Which {key} has {value} as its {column}?",
    "For which {key} is the {column} {value}?",
    "What is the {key} whose {column} is {value}?",
)
ROWS = (3, 7)
COLUMNS = (2, 6)
LONGEST = 800
TURNED_SHARE, NULL_SHARE, PROSE_SHARE = 0.2, 0.15, 0.6


def table_samples(rows: Iterable[dict[str, Any]], prose: list[str], wanted: int, rng: random.Random) -> list[Sample]:
    """At most `wanted` samples over tables of `rows`, some with a paragraph of `prose` before or after the table."""
    found = list(_tables(rows))
    rng.shuffle(found)
    samples: list[Sample] = []
    while found and len(samples) < wanted:
        before = len(samples)
        for title, names, cells in found:
            sample = _sample(title, names, cells, rng.choice(found), prose, rng)
            if sample is not None:
                samples.append(sample)
        if len(samples) == before:
            break
    return samples[:wanted]


def paragraphs(passages: Iterable[dict[str, Any]]) -> list[str]:
    """The beginnings of passages, two sentences each: what stands around a table."""
    starts = (" ".join(SENTENCE_END.split(passage["text"])[:2]) for passage in passages)
    return [text for text in starts if PROSE[0] < len(text) < PROSE[1]]


def _tables(passages: Iterable[dict[str, Any]]) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """(title, names of the columns, rows of cells) of every table of which enough rows are known."""
    tables: dict[tuple[str, tuple[str, ...]], list[list[str]]] = defaultdict(list)
    for passage in passages:
        parts = passage["text"].split("; ")
        if len(parts) >= COLUMNS[0] and all(CELL.fullmatch(part) for part in parts):
            cells = [part.split(": ", 1) for part in parts]
            tables[passage["title"], tuple(name for name, _ in cells)].append([" ".join(value.split()) for _, value in cells])
    for (title, names), rows in sorted(tables.items()):
        if len(rows) >= ROWS[0] and COLUMNS[0] <= len(names) <= COLUMNS[1]:
            yield title, list(names), rows


def _sample(title: str, names: list[str], cells: list[list[str]], other: tuple, prose: list[str], rng: random.Random) -> Sample | None:
    rows = rng.sample(cells, min(len(cells), rng.randint(*ROWS)))
    keys = [j for j, name in enumerate(names) if not NUMBERING.match(name) and all(any(c.isalpha() for c in row[j]) for row in rows)]
    keys = [j for j in keys if len({row[j] for row in rows}) == len(rows)]
    if not keys:
        return None
    key = rng.choice(keys)
    column = rng.choice([j for j in range(len(names)) if j != key])
    row = rng.randrange(len(rows))
    name, value = rows[row][key], rows[row][column]
    if not any(c.isalnum() for c in value):
        return None
    text, spans = _written(names, rows, prose, rng)
    if len(text) > LONGEST:
        return None
    passage = {"title": title, "text": text, "whole": True}
    if rng.random() < NULL_SHARE:
        return _missing(passage, names, rows, key, other, rng)
    if rng.random() < TURNED_SHARE and sum(r[column] == value for r in rows) == 1:
        question = rng.choice(TURNED).format(key=_spoken(names[key]), column=_spoken(names[column]), value=value)
        column = key
    else:
        question = rng.choice(ASKED).format(column=_spoken(names[column]), name=name)
    return {
        "set": "tables",
        "question": question,
        "kind": "span",
        "golds": [{**passage, "spans": [list(spans[row][column])]}],
        "negatives": [],
    }


def _missing(passage: dict, names: list[str], rows: list[list[str]], key: int, other: tuple, rng: random.Random) -> Sample | None:
    """A question for a row or a column that the table does not have."""
    _, other_names, other_rows = other
    if rng.random() < 0.5:
        column, name = rng.choice(other_names), rng.choice(rows)[key]
        if column.lower() in passage["text"].lower():
            return None
    else:
        column, name = rng.choice(names), rng.choice(rng.choice(other_rows))
        if name.lower() in passage["text"].lower() or not any(c.isalpha() for c in name):
            return None
    question = rng.choice(ASKED).format(column=_spoken(column), name=name)
    return {"set": "tables", "question": question, "kind": "null", "golds": [], "negatives": [passage]}


def _spoken(column: str) -> str:
    """A column's name as it is said in a question: no unit in brackets, small letters."""
    said = UNIT.sub("", column).strip() or column
    return said if said.isupper() else said.lower()


def _written(names: list[str], rows: list[list[str]], prose: list[str], rng: random.Random) -> tuple[str, list[list[tuple[int, int]]]]:
    """The table as Markdown, even or compact, or as rows between blank lines; and where each row's cells stand."""
    form = rng.choice(("even", "compact", "rows"))
    widths = [max(len(r[j]) for r in [names, *rows]) if form == "even" else 0 for j in range(len(names))]
    before = f"{rng.choice(prose)}\n\n" if prose and rng.random() < PROSE_SHARE / 2 else ""
    text, spans = before, []
    for number, row in enumerate([names, *rows]):
        text += "" if form == "rows" else "| "
        places = []
        for j, cell in enumerate(row):
            places.append((len(text), len(text) + len(cell)))
            text += cell.ljust(widths[j])
            text += " | " if j + 1 < len(row) else ("" if form == "rows" else " |")
        text += "\n\n" if form == "rows" else "\n"
        spans.append(places)
        if number == 0 and form != "rows":
            text += "|" + "|".join("-" * max(3, w + 2) for w in widths) + "|\n"
    if prose and rng.random() < PROSE_SHARE:
        text += f"\n{rng.choice(prose)}"
    return text.rstrip(), spans[1:]
