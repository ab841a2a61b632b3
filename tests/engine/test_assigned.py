"""Names in code and the literals they are given."""

import pytest

from engine.assigned import constants, in_bases, is_base, is_stated, value_of


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


@pytest.mark.parametrize(
    ("question", "text", "answer", "asked"),
    [
        ("What is the default wick length?", 'def trim(oil: str = "fish", wick_length: int = 16):', "16", True),
        ("What is the default wick length?", "trim(wick_length=0)", "0", False),
        ("What is the default wick length?", "lamp.wick_length = 1", "1", False),
        ("What is the default wick length?", "wick_length = len(wick)", "len(wick)", False),
        ("What is the default wick length?", "pause = 12", "12", False),
        ("What is the wick length of Ada's lamp?", "wick_length = 12", "12", False),
        ("How big is a buffer if I give no size?", "def save(to, bufferSize=16384):", "16384", True),
        ("Where does it write when no stream is given?", "def __init__(self, app, stream: IO = sys.stdout):", "sys.stdout", True),
        ("Which oil is the default?", '    OIL_DEFAULT = "fish"', "fish", False),
        ("Which lamp oil is the default?", '    LAMP_OIL_DEFAULT = "fish"', "fish", True),
        ("What is the default wick length?", "    wick_length=self.wick_length,", "self.wick_length", False),
        ("How long is a wick by default?", "    wick (int, optional): Length of it. Defaults to 16.", "16", True),
        ("How long is a wick by default?", "    wick (int, optional): Length\n        of it. Defaults to 16.", "16", True),
        ("How long is a wick by default?", "    :param int wick: its length, defaults to 16", "16", True),
        ("How long is a wick by default?", "    flame (int): Height of it. Defaults to 16.", "16", False),
        ("How long is a wick?", "    wick (int): Length of it. Defaults to 16.", "16", False),
        ("What does Ember inherit from?", "class Ember(glow.Lamp):", "glow.Lamp", True),
        ("What is the parent class of ember?", "class Ember(Mixin, Lamp):", "Lamp", True),
        ("What is the parent class of Coal?", "class Ember(Lamp):", "Lamp", False),
        ("What does Ember burn?", "class Ember(Lamp):", "Lamp", False),
    ],
)
def test_what_code_states_to_be_what_is_asked_for(question, text, answer, asked):
    start = text.rindex(answer)
    assert is_stated(question, text, start, start + len(answer)) == asked


def test_what_another_class_derives_from_is_a_base():
    text = "class Ember(Lamp, glow.Coal):\n    pass\n\n\nclass Ash(Ember): ..."
    assert [is_base(text, name) for name in ("Lamp", "Coal", "Ember", "Ash", "a (lamp", "")] == [True, True, True, False, False, False]


def test_what_stands_among_the_bases_of_a_class():
    text = "class Ember(Lamp, glow.Coal):\n    burns = Lamp()"
    assert [in_bases(text, text.index(name)) for name in ("Ember", "Lamp", "glow", "burns")] == [False, True, True, False]
    assert not in_bases(text, text.rindex("Lamp"))
