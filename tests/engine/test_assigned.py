"""Names in code and the literals they are given."""

import pytest

from engine.assigned import constants, value_of


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("def pull(n_tries: int = 4, wait=0.5):\n    n_tries is tried", "n_tries", "4"),
        ("def pull(n_tries: int = 4, wait=0.5):", "wait", "0.5"),
        ('FOLDER = "/var/lib"\nopen(FOLDER)', "FOLDER", "/var/lib"),
        ("const limit = 10;", "limit", "10"),
        ("limit := 10", "limit", "10"),
        ("if limit == 10:", "limit", None),
        ("self.limit = 10", "limit", None),
        ("limit = other(10)", "limit", None),
        ("at most 10", "at most", None),
    ],
)
def test_a_name_stands_for_the_literal_it_is_given(text, name, value):
    found = value_of(name, text)
    assert (found and text[slice(*found)]) == value


def test_constants_in_code():
    assert constants("Path(os.environ.get(DATA_DIR) or DEFAULT_DATA_DIR) or DATA_DIR, Id, HTTP") == ["DATA_DIR", "DEFAULT_DATA_DIR"]
