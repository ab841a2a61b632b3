"""What a question that leads over several things asks first."""

import pytest

from engine.kinship import of_both_parents, spelled_out
from engine.nested import first_step, person_first


@pytest.mark.parametrize(
    ("question", "asked", "left"),
    [
        (
            "In which county is the birthplace of the director of Red Mill at Dusk?",
            "Who is the director of Red Mill at Dusk?",
            "In which county is the birthplace of ANSWER?",
        ),
        (
            "Which school did the founder of the label that released Blue Hours attend?",
            "Which label released Blue Hours?",
            "Which school did the founder of ANSWER attend?",
        ),
        (
            'When did the city where the performer of "Low Tide" was born become a capital?',
            'Who is the performer of "Low Tide"?',
            "When did the city where ANSWER was born become a capital?",
        ),
        (
            "When did the founder of the record label of the album Blue Hours die?",
            "What is the record label of album Blue Hours?",
            "When did the founder of ANSWER die?",
        ),
    ],
)
def test_the_innermost_thing_is_asked_for_first(question, asked, left):
    step = first_step(question)
    assert step is not None and (step.asked, step.taken("ANSWER")) == (asked, left)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "When was the director of film Red Mill born?",
        "Who founded the label that released Blue Hours?",
        "How many days of annual leave am I allowed to take over into next year?",
        "Who took control of the whole of Central Tibet?",
        "What caused Ada to make the end of Dr. Bell's cult her aim?",
        "Which environment variable names the folder of the Python package index?",
    ],
)
def test_one_thing_led_over_is_left_to_the_loop(question):
    assert first_step(question) is None


def test_what_is_left_of_a_question_that_led_further_is_taken_apart_to_the_end():
    left = "In which county is the birthplace of Ada Bell?"
    step = first_step(left, led=True)
    assert step is not None and step.asked == "What is the birthplace of Ada Bell?"
    assert first_step(step.taken("Farsund"), led=True) is None
    assert first_step("What is the date of death of Ada Bell?", led=True) is None


def test_a_person_told_by_what_they_made_is_asked_for_first():
    step = person_first("When was the director of Red Mill born?")
    assert step is not None and step.asked == "Who is the director of Red Mill?"
    assert person_first("Which font is used in the pages of HTMLCalendar?") is None


def test_who_made_it_may_stand_behind_its_name():
    step = first_step("Who is the spouse of the Blue Hours performer?", led=True)
    assert step is not None and (step.asked, step.taken("ANSWER")) == ("Who is the performer of Blue Hours?", "Who is the spouse of ANSWER?")
    assert first_step("Who is the spouse of the Canadian performer?", led=True) is None
    assert first_step("Who met the Oslo author Ada Bell?", led=True) is None


@pytest.mark.parametrize(
    ("question", "spelled"),
    [
        ("Who is the paternal grandfather of Ada Bell?", "Who is the father of the father of Ada Bell?"),
        ("Who was Ada Bell's mother-in-law?", "Who was the mother of the spouse of Ada Bell?"),
        ("Where was the Mother in Law of Ada Bell born?", "Where was the mother of the spouse of Ada Bell born?"),
        ("Who is the father of Ada Bell?", "Who is the father of Ada Bell?"),
    ],
)
def test_relatives_at_one_remove_are_spelled_out(question, spelled):
    assert spelled_out(question) == spelled


@pytest.mark.parametrize(
    ("question", "answer", "parent"),
    [
        ("Who is the father of Ada Bell?", "Carl Bell and Eva Dahl", "Carl Bell"),
        ("Who was Ada Bell's mother?", "Carl Bell and his second wife Eva Dahl", "Eva Dahl"),
        ("Who is the mother of Ada Bell?", "Carl Bell and the painter", None),
        ("Who founded Sund?", "Carl Bell and Eva Dahl", None),
        ("Who is the father of Ada Bell?", "Carl Bell", None),
    ],
)
def test_of_both_parents_the_one_asked_for(question, answer, parent):
    place = of_both_parents(question, answer)
    assert (place and answer[slice(*place)]) == parent
