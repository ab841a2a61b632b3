"""What a reading becomes before it is judged: names in a table's cells whole."""

import pytest

from engine.interleave import Context
from engine.model.interface import Evidence, Reading
from engine.tidied import tidied, version_of

TABLE = "| post | name | since |\n|---|---|---|\n| Bergen Office Manager | Kjersti Moen | May 2019 |\n| keeper of keys, since May | Mina Okafor | 2020 |\n"


@pytest.mark.parametrize(
    ("pointed", "given"),
    [
        ("Office Manager", "Bergen Office Manager"),
        ("Moen", "Kjersti Moen"),
        ("Bergen Office Manager", "Bergen Office Manager"),
        ("keeper of keys", "keeper of keys"),
    ],
)
def test_words_of_a_cell_that_is_a_name_are_the_name(pointed, given):
    start = TABLE.index(pointed)
    context = Context("Which post is it?", (Evidence(1, "posts", TABLE),))
    [(_, reading)] = tidied([Reading("span", 0, start, start + len(pointed), 1.0)], context, lambda piece: [], lambda piece: piece)
    assert TABLE[reading.start : reading.end] == given


def test_prose_is_left_as_it_was_pointed_at():
    text = "The Bergen Office Manager is Kjersti Moen."
    context = Context("Who is it?", (Evidence(1, "posts", text),))
    [(_, reading)] = tidied([Reading("span", 0, 11, 25, 1.0)], context, lambda piece: [], lambda piece: piece)
    assert text[reading.start : reading.end] == "Office Manager"


NEWS = Evidence(1, "NEWS.md > History > 2.31.0 (2023-05-22)", "2.31.0 (2023-05-22)\n---\n\n- Lamps go out by themselves.\n")
REST = Evidence(2, "NEWS.md > History > 2.31.0 (2023-05-22)", "- Wicks are trimmed twice.\n")


@pytest.mark.parametrize(("piece", "pointed"), [(NEWS, "themselves"), (REST, "twice")])
def test_a_version_that_is_asked_for_stands_in_the_heading(piece, pointed):
    start = piece.text.index(pointed)
    context = Context("Since when are lamps and wicks like that?", (piece,))
    [(given, reading)] = tidied([Reading("span", 0, start, start + len(pointed), 1.0)], context, lambda p: [], lambda p: NEWS)
    evidence = given.evidence[reading.piece]
    assert evidence is NEWS and evidence.text[reading.start : reading.end] == "2.31.0"
    assert reading.read_off == (0, start, start + len(pointed))


def test_other_questions_are_not_answered_by_headings():
    start = NEWS.text.index("by themselves")
    context = Context("How do lamps go out?", (NEWS,))
    [(given, reading)] = tidied([Reading("span", 0, start, start + 13, 1.0)], context, lambda p: [], lambda p: NEWS)
    assert given is context and reading.start == start and reading.read_off is None


@pytest.mark.parametrize(
    ("title", "version"),
    [
        ("NEWS.md > History > 2.31.0 (2023-05-22)", "2.31.0"),
        ("CHANGES.rst > Version 3.1", "3.1"),
        ("docs > What's new in Lamps 5.0 - 2020-09-24", "5.0"),
        ("manual.pdf > 7.1 Reports", ""),
        ("v2/guide.md > Lamps", ""),
    ],
)
def test_headings_that_are_a_version_s(title, version):
    assert version_of(title) == version
