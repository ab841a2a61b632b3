"""An answer in code stays inside a statement; prose of a comment may go on in the next line."""

import pytest

from engine.model.interface import Evidence
from engine.model.pointer import CODE_BREAK, _breaks


def breaks(text: str, **told) -> list[int]:
    return _breaks(Evidence(1, "t", text, **told))


@pytest.mark.parametrize(
    "code, pieces",
    [
        ("prompt = PROMPT\n    names = NAMES", 2),
        ("def read(cls, x=None):\n    pass", 2),
        ('x = "%s" %\n    "y"', 2),
        ("items[0] = 1\nitems[1] = 2", 2),
        ("call(a)\nother(b)", 2),
        ("a = 1\n\nb", 2),
        ('"""Return the largest\n    value of it, and\n    more."""', 1),
        ("The timeout (in\nseconds) is 5", 1),
    ],
)
def test_where_code_breaks(code, pieces):
    assert len(list(CODE_BREAK.finditer(code))) + 1 == pieces


def test_an_answer_stays_inside_a_cell_but_code_may_hold_strokes():
    table = "| Rate | Room |\n|---|---|\n| Norway | 165 |"
    begun = [table[at:].split()[0] for at in breaks(table)]
    assert [word for word in begun if word[0].isalnum()] == ["Rate", "Room", "Norway", "165"]
    assert breaks("x: int | None\ny: str | None", code=True) == breaks("x: int , None\ny: str , None", code=True)
    assert breaks("One line | of prose.") == [] and breaks("Norway;165", separator=";") == [0, 7]
