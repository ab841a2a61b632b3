"""What code says of a value, an exception or a call, and names that say what is asked."""

import pytest

from engine.spoken_code import alike, said_of, said_share

PYTHON = '''LAMP_OIL_LIMIT = 40  # litres a lighthouse may store


class DryWick(LampError):
    """No oil."""


class Lamp:
    def trim(self, wick, n_cuts: int = 3):
        """Shorten the wick.

        It is given up after n_cuts useless attempts.
        """
        if wick.oil < LEAST:
            raise DryWick(f"{wick.oil} litres left, refill first")
        return shorten(wick)
'''


def share(question: str, answer: str, last: bool = False) -> float:
    start = PYTHON.rindex(answer) if last else PYTHON.index(answer)
    return said_share(question, PYTHON, start, start + len(answer), "lamp.py > class Lamp")


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("How much oil may be stored?", "40", "3"),
        ("After how many attempts is trimming given up?", "3", "40"),
    ],
)
def test_a_value_is_said_by_its_name_its_comment_and_the_docstring(question, right, wrong):
    assert share(question, right) > share(question, wrong)


def test_an_exception_is_said_by_its_condition_and_its_message():
    assert share("What is raised when litres are left to refill?", "DryWick", last=True) > 0.6
    assert share("What is raised when litres are left to refill?", "DryWick") == 0.0
    assert share("From which parent does the dry wick derive?", "LampError") > share("How old is it?", "LampError")


def test_a_call_is_said_by_its_own_name_and_the_caller_s():
    assert share("Which function does trim call?", "shorten") > 0.0
    assert share("Which function does trim call?", "Shorten the wick") == 0.0


def test_words_are_alike_but_for_their_endings():
    assert alike("max", "maximum") and alike("delivery", "deliveries") and alike("raise", "raised")
    assert not alike("wick", "lamp") and not alike("it", "item")


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("How much oil may be stored?", "40"),
        ("After how many attempts is trimming given up?", "3"),
        ("Which exception is raised when litres are left to refill?", "DryWick"),
        ("From which base class does DryWick derive?", "LampError"),
        ("Which function does trim call to shorten?", "shorten"),
    ],
)
def test_what_may_answer_in_code_is_of_the_sort_that_is_asked_for(question, best):
    first = said_of(question, PYTHON, "lamp.py")[0]
    assert PYTHON[first.start : first.end] == best


def test_expected_exceptions_of_tests_count_as_raised():
    test = "def test_dry_wick_is_refused():\n    with pytest.raises(lamp.DryWick):\n        trim(None)\n"
    [said] = said_of("What is raised when a dry wick is refused?", test, "test_lamp.py")
    assert test[said.start : said.end] == "DryWick" and said.share > 0.5


def test_a_default_that_is_stated_is_said_by_its_heading():
    text = "``lamp_oil_limit``\n~~~~~\n\nDefault: ``40`` litres. It burns for 12 hours.\n"
    question = "How much oil does a lamp hold unless told otherwise?"
    [said] = said_of(question, text, "settings.rst > Lamps > lamp_oil_limit", code=False)
    assert text[said.start : said.end] == "40" and said.share > 0.2
    assert said_of("How long does it burn?", text, "settings.rst > Lamps > lamp_oil_limit", code=False) == []
    assert said_share(question, text, text.index("12"), text.index("12") + 2, "", code=False) == 0.0
