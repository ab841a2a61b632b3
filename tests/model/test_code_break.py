"""An answer in code stays inside a statement; prose of a comment may go on in the next line."""

import pytest

from engine.model.pointer import CODE_BREAK


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
