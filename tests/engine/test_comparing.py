"""What is asked of each of two compared things, how their values decide, and which evidence hangs together."""

from __future__ import annotations

import pytest

from engine.comparing import comparison, speaks_of
from engine.links import chained, named, passes_by
from engine.model.interface import Evidence
from engine.values import date, number, order


@pytest.mark.parametrize(
    ("question", "names", "asked", "least"),
    [
        ("Who was born first, Ada Bell or Bo Carr?", ("Ada Bell", "Bo Carr"), "When was {x} born?", True),
        ("who is younger Ada Bell or Bo Carr ?", ("Ada Bell", "Bo Carr"), "When was {x} born?", False),
        ("Which of Ada Bell and Bo Carr died later?", ("Ada Bell", "Bo Carr"), "When did {x} die?", False),
        ("Which film came out first, Charley and the Angel or Old Dogs?", ("Charley and the Angel", "Old Dogs"), "When was {x} released?", True),
        ("Which magazine was started first Arte or First for Us?", ("Arte", "First for Us"), "When was {x} started?", True),
        ("Which university is older: University of Lund, Skane or Tufts?", ("University of Lund, Skane", "Tufts"), "When was {x} founded?", True),
        ("Did Red Mill or Blue Mill open first?", ("Red Mill", "Blue Mill"), "When was {x} opened?", True),
        ("Was Lund University or Tufts University founded first?", ("Lund University", "Tufts University"), "When was {x} founded?", True),
        ("Is Red Mill or Blue Mill taller?", ("Red Mill", "Blue Mill"), "How high is {x}?", False),
        ("Which band, The Tides or Low Sun, had more members?", ("The Tides", "Low Sun"), "How many members does {x} have?", False),
        ("Who won more Grand Slam titles, Ann Lee or Bo Carr?", ("Ann Lee", "Bo Carr"), "How many Grand Slam titles does {x} have?", False),
        ("Which has the larger population, Lund or Porto?", ("Lund", "Porto"), "What is the population of {x}?", False),
        (
            "Which film has the director who was born later, Red Mill or Low Sun?",
            ("Red Mill", "Low Sun"),
            "When was the director of film {x} born?",
            False,
        ),
        ("Which movie's director died first, Red Mill or Low Sun?", ("Red Mill", "Low Sun"), "When did the director of movie {x} die?", True),
    ],
)
def test_two_named_things_are_each_asked_about(question, names, asked, least):
    found = comparison(question)
    assert found is not None
    assert (found.names, found.asked, found.least, found.same) == (names, (asked,), least, False)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Were Ada Bell and Bo Carr of the same nationality?", "What nationality is {x}?"),
        ("Are Ada Bell and Bo Carr from the same country?", "Which country is {x} from?"),
        ("Are Red Mill and Blue Mill both located in the same country?", "In which country is {x}?"),
        ("Are Catasetum and Origanum in the same family?", "In which family is {x}?"),
        ("Were Red Mill and Low Sun released in the same year?", "When was {x} released?"),
        ("Do both films Red Mill and Low Sun have directors from the same country?", "Which country is the director of film {x} from?"),
    ],
)
def test_sameness_is_asked_of_each(question, asked):
    found = comparison(question)
    assert found is not None and found.same and found.asked == (asked,)


@pytest.mark.parametrize(
    "question",
    [
        "What should I buy, Apples or oranges?",
        "Who has written more than 300 papers, Ada Bell or Bo Carr?",
        "Where was its builder born?",
        "Is it faster to use pip or uv?",
        "Which port is opened first?",
        "Who sang the first song of the film Red Mill or wrote it?",
    ],
)
def test_other_questions_compare_nothing(question):
    assert comparison(question) is None


def test_values_decide():
    first = comparison("Who was born first, Ada Bell or Bo Carr?")
    assert first.decide(["12 May 1902"], ["1902-06-01"]) == "Ada Bell"
    assert first.decide(["1950"], ["May 3, 1902"]) == "Bo Carr"
    assert first.decide(["1902"], ["12 May 1902"]) is None, "a year alone does not tell"
    assert first.decide(["in Lund"], ["1902"]) is None
    lived = comparison("Who lived longer, Ada Bell or Bo Carr?")
    assert lived.asked == ("When was {x} born?", "When did {x} die?")
    assert lived.decide(["1 May 1900", "2 May 1980"], ["1901", "1975"]) == "Ada Bell"
    assert lived.decide(["1900", "1900"], ["1901", "1975"]) is None, "somebody alive has no such time"
    higher = comparison("Which tower is taller, Red Mill or Blue Mill?")
    assert higher.decide(["650 ft"], ["it is 100 m high"]) == "Red Mill"
    same = comparison("Were Ada Bell and Bo Carr of the same nationality?")
    assert [same.decide(["Norwegian"], [b]) for b in ("a Norwegian painter", "Norway", "French", "none")] == ["yes", "yes", "no", None]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(12 May 1902 – 3 June 1980)", (1902, 5, 12)),
        ("March 4th, 1999", (1999, 3, 4)),
        ("in June 1944", (1944, 6)),
        ("the film of 2010", (2010,)),
        ("2021-03-09", (2021, 3, 9)),
        ("384 BC", (-384,)),
        ("soon", None),
    ],
)
def test_dates(text, value):
    assert date(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("about 1,200 species", 1200), ("2.5 million people", 2.5e6), ("a group of seven", 7), ("seventy-two floors", 72),
     ("since 1982, at 8,051 m", 8051), ("often", None), ("in 1982", None)]
)
def test_numbers(text, value):
    assert number(text) == (None if value is None else (value,))


def test_order_says_nothing_where_both_agree_as_far_as_they_go():
    assert [order((1902.0,), other) for other in ((1903.0, 1.0), (1901.0,), (1902.0, 4.0))] == [-1, 1, 0]


MILL = Evidence(1, "Red Mill (film)", "Red Mill is a film directed by Ada Bell.")
ADA = Evidence(2, "Ada Bell", "Ada Bell was born in Porto.")
BO = Evidence(3, "Bo Carr", "Bo Carr was born in Lund.")
ASKED = "Where was the director of Red Mill born?"


def test_evidence_hangs_together_by_names():
    assert chained(ASKED, (MILL, ADA), 1) and not chained(ASKED, (MILL, ADA), 0)
    assert not chained(ASKED, (MILL, BO), 1) and not chained(ASKED, (ADA,), 0)
    assert not chained("Where was Ada Bell born?", (MILL, ADA), 1), "what the question names needs no chain"
    porto = Evidence(4, "Porto", "Porto lies on the Douro.")
    assert chained("On which river lies the birthplace of the director of Red Mill?", (MILL, ADA, porto), 2)
    assert not chained(ASKED, (MILL, BO, porto), 2)
    assert named(ASKED, (MILL,), ["Ada Bell", "Bo Carr", "Red Mill (film)", "A"]) == [True, False, False, False]
    assert passes_by(ASKED, (BO,), [MILL, BO]) and not passes_by(ASKED, (MILL, ADA), [MILL]) and not passes_by(ASKED, (BO,), [ADA])


def test_a_word_is_no_name():
    leave, travel = Evidence(5, "handbook.md > Leave", "Five days. See Travel."), Evidence(6, "handbook.md > Travel", "By train, on leave.")
    asked = "How many days of leave are carried over?"
    assert not chained(asked, (leave, travel), 1) and not passes_by(asked, (travel,), [leave])
    assert chained("What does Leave say of trains?", (leave, travel), 1)
    assert named(asked, (travel,), ["x > Leave"]) == [False]


def test_evidence_speaks_of_a_name():
    assert speaks_of("film Red Mill", [MILL]) and not speaks_of("Red Mill", [ADA])
