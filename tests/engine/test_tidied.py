"""What a reading becomes before it is judged: names in a table's cells whole."""

import pytest

from engine.interleave import Context
from engine.model.interface import Evidence, Reading
from engine.tidied import tidied

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
    [(_, reading)] = tidied([Reading("span", 0, start, start + len(pointed), 1.0)], context, lambda piece: [])
    assert TABLE[reading.start : reading.end] == given


def test_prose_is_left_as_it_was_pointed_at():
    text = "The Bergen Office Manager is Kjersti Moen."
    context = Context("Who is it?", (Evidence(1, "posts", text),))
    [(_, reading)] = tidied([Reading("span", 0, 11, 25, 1.0)], context, lambda piece: [])
    assert text[reading.start : reading.end] == "Office Manager"
