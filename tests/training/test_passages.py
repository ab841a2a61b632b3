"""Passages for questions: documents as ingest cuts them, a run a record, and nothing that is too little to ask about."""

import random

import pytest

from training.passages import CODE, RUN, bundled_counter, is_kept, passages

COUNT, MOST = bundled_counter()
SAID = "The keeper of the harbour writes down every boat that comes in, where it lay and what it brought. "
PROSE = {
    "id": "w-1",
    "source": "a/b:harbour.md",
    "title": "The harbour",
    "text": "# The harbour\n\n" + SAID * 6 + "".join(f"\n\n# Berth {i}\n\n" + SAID * 8 for i in range(12)) + "\n\n# Table\n\n" + "12 | 34 | " * 60,
}
BODY = "".join(f"        kept_{i} = self.weighed(crate, how_often={i})\n" for i in range(12))
SOURCE = {
    "id": "c-1",
    "source": "a/b:stores/crates.py",
    "title": "crates.py",
    "text": "import os\n\n\nclass Store:\n" + "".join(f"    def put_{name}(self, crate):\n{BODY}\n" for name in ("left", "right", "below")),
}


def drawn(name: str, record: dict, seed: int = 1) -> list[dict]:
    return list(passages(name, [record], COUNT, MOST, random.Random(seed)))


def test_prose_is_cut_below_its_title():
    found = {row["title"]: row for seed in range(20) for row in drawn("docs_web", PROSE, seed)}
    assert found["The harbour"]["text"].startswith("# The harbour\n\nThe keeper")
    assert found["The harbour > Berth 3"]["text"] == PROSE["text"][PROSE["text"].index("# Berth 3") :].split("\n\n# Berth 4")[0].rstrip()
    assert "The harbour > Table" not in found


def test_code_is_cut_by_its_language_below_its_path():
    rows = drawn(CODE, SOURCE)
    assert [row["title"] for row in rows] == [f"stores/crates.py > class Store > def put_{name}" for name in ("left", "right", "below")]
    assert rows[1]["text"].startswith("def put_right")


@pytest.mark.parametrize("name, record", [("docs_web", PROSE), (CODE, SOURCE)])
def test_a_run_of_documents_in_order_that_fit(name, record):
    rows = drawn(name, record)
    parts = [row["part"] for row in rows]
    assert 1 < len(rows) <= RUN and parts == list(range(parts[0], parts[0] + len(rows)))
    assert all(COUNT([row["text"]])[0] <= MOST for row in rows)
    assert {(row["file"], row["source"]) for row in rows} == {(name, record["id"])}


def test_the_draw_is_seeded():
    assert drawn("docs_web", PROSE, 5) == drawn("docs_web", PROSE, 5)
    assert len({drawn("docs_web", PROSE, seed)[0]["part"] for seed in range(20)}) > 1


def test_records_come_in_random_order():
    records = [{**PROSE, "id": str(i)} for i in range(9)]
    sources = [row["source"] for row in passages("docs_web", records, COUNT, MOST, random.Random(1))]
    assert list(dict.fromkeys(sources)) != [record["id"] for record in records]
    assert sum(a != b for a, b in zip(sources, sources[1:])) == 8


@pytest.mark.parametrize(
    "text, code",
    [
        ("Too short to ask about.", False),
        ("| 1.25 | 3.75 | cm " * 30, False),
        ("# Copyright (c) 2020 The keepers.\n# " + SAID * 4 + "\n\nimport os\nfrom a import (\n    b,\n)\n", True),
        ("".join(f"import stores.crates.part_{i}\n" for i in range(20)), True),
    ],
)
def test_what_says_too_little_is_left_out(text, code):
    assert not is_kept(text, code)
    assert is_kept(text + "\n\n" + SAID * 12, False)
