"""What two named things have in common."""

import pytest

from engine.common import common, said_of_both


@pytest.mark.parametrize(
    ("question", "names", "asked"),
    [
        ("What occupation do Ada Bell and J. T. Ohm share?", ("Ada Bell", "J. T. Ohm"), "What is the occupation of {x}?"),
        ("What type of media does Low Tide and Red Mill have in common?", ("Low Tide", "Red Mill"), "What type of media is {x}?"),
        ("What do a Gin Fizz and a Daiquiri have in common?", ("a Gin Fizz", "a Daiquiri"), "What is {x}?"),
        ("Ada Bell and Lars Ohm are both what?", ("Ada Bell", "Lars Ohm"), "{x} is what?"),
        ("Both Sund and Port of Farsund are both located in which county?", ("Sund", "Port of Farsund"), "{x} is located in which county?"),
        ("Which club did both Ada Bell and Lars Ohm play for?", ("Ada Bell", "Lars Ohm"), "Which club did {x} play for?"),
        ('What kind of film are both "500 Years" and "Sund"?', ("500 Years", "Sund"), "What kind of film are {x}?"),
        ("What post have Ada Bell and Lars Ohm both held?", ("Ada Bell", "Lars Ohm"), "What post have {x} held?"),
        ("Who directed both The Man in the Mill and Low Tide?", ("The Man in the Mill", "Low Tide"), "Who directed {x}?"),
    ],
)
def test_the_same_is_asked_of_both(question, names, asked):
    found = common(question)
    assert found is not None and (found.names, found.asked) == (names, asked)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "Are Ada Bell and Lars Ohm both engineers?",
        "Ada Bell and Lars Ohm are both players; which one is older?",
        "Which of these towns are both ports and sees?",
        "In what year did a film that starred both Ada Bell and Lars Ohm come out?",
        "What did Ada Bell and Lars Ohm found?",
        "What are the default ports of both Sund and Farsund?",
        "What word can mean both to go and to come?",
    ],
)
def test_other_questions_ask_nothing_of_both(question):
    assert common(question) is None


def test_what_is_said_of_both():
    both = said_of_both(["cinematographer and film director", "English"], ["director", "film editor"])
    assert both is not None and (both.at, both.words) == ((0, 0), "director")
    both = said_of_both(["the county of Agder", "Farsund"], ["Sund", "in Agder"])
    assert both is not None and (both.at, both.words) == ((0, 1), "Agder")
    both = said_of_both(["tropical Plants"], ["a plant"])
    assert both is not None and both.words == "Plants"
    assert said_of_both(["the sea"], ["the town"]) is None and said_of_both([], ["x"]) is None
