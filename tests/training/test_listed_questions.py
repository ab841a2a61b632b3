"""Questions over listed entries: the span is the entry's own, and a removed entry leaves its neighbours."""

import random

import pytest

from training.listed_questions import _cells, listed_samples

TABLE = """# Limits

Each plan has its own.

| Plan | Seats | Description |
| --- | --- | --- |
| Heron | 4 | Opens the small rooms at weekends. |
| Gannet | 16 | Sends a report to the owner every month. |
| Skua | 40 | Keeps old versions of a file for a year. |
| Tern | `none` | Retrieves files from a closed account. |

After the table.
"""
GLOSSARY = """heron, egret (noun): grey bird that stands in shallow water.

gannet (noun): white bird that dives from a height.

skua, bonxie (noun): brown bird that robs other birds of food.

tern (noun): slender bird with a forked tail.
"""
OPTIONS = """Options:

- `--depth` - how many folders to go down
- `--quiet` - nothing but errors is printed
- `--force`: overwrites files that are there
"""
ROWS = {"Heron": "4", "Gannet": "16", "Skua": "40", "Tern": "`none`"}


@pytest.mark.parametrize("text", [TABLE, GLOSSARY, OPTIONS])
def test_answers_stand_in_the_entry_that_is_asked_for(text):
    samples = listed_samples([{"title": "t", "text": text}] * 150, 150, random.Random(3))
    spans = [s for s in samples if s["kind"] == "span"]
    assert len(spans) > 80 and len({s["question"] for s in spans}) > 10
    for sample in spans:
        [gold] = sample["golds"]
        [[a, b]] = gold["spans"]
        line = gold["text"][gold["text"].rfind("\n", 0, a) + 1 : gold["text"].find("\n", b)]
        answer = gold["text"][a:b]
        asked = sample["question"].lower()
        # Either the entry's name is asked about, or words of its description, never another entry's.
        rare = {w.strip(".,;:|`?()").lower() for w in line.split()} - {w.strip(".,;:|`?()").lower() for other in text.split("\n") if not other.startswith(line) for w in other.split()}
        assert answer and any(w and w in asked for w in rare), (sample["question"], line)


def test_a_cell_belongs_to_its_row_and_column():
    samples = listed_samples([{"title": "t", "text": TABLE}] * 200, 200, random.Random(4))
    cells = [s for s in samples if "seats" in s["question"].lower() and s["kind"] == "span"]
    assert len(cells) > 20
    for sample in cells:
        [gold] = sample["golds"]
        [[a, b]] = gold["spans"]
        name = next(n for n in ROWS if n in sample["question"])
        assert gold["text"][a:b] == ROWS[name]


def test_what_was_taken_out_is_not_answerable():
    samples = listed_samples([{"title": "t", "text": TABLE}] * 200, 200, random.Random(5))
    absent = [s for s in samples if s["kind"] == "null"]
    assert 10 < len(absent) < 70
    for sample in absent:
        [wrong] = sample["negatives"]
        named = [n for n in ROWS if n in sample["question"]]
        assert not sample["golds"] and all(n not in wrong["text"] for n in named)
        assert sum(n in wrong["text"] for n in ROWS) == 3


def test_cells_of_a_row():
    assert _cells("| a | `b \\| c` |  | d |") == [("a", 2), ("`b \\| c`", 6), ("", 16), ("d", 20)]


def test_text_without_lists_gives_nothing():
    assert listed_samples([{"title": "t", "text": "A plain sentence. Another one.\n"}], 5, random.Random(1)) == []
