"""The sort of answer a question wants."""

import pytest

from engine.answer_type import fits


@pytest.mark.parametrize(
    ("question", "answer", "fit"),
    [
        ("How many chairs are there?", "forty", 1.0),
        ("How many chairs are there?", "4,200", 1.0),
        ("How many chairs are there?", "n_chairs", -1.0),
        ("How often is it cleaned?", "every spring", 1.0),
        ("What temperature is it kept at?", "room temperature", -1.0),
        ("When did the pump fail?", "12 May", 1.0),
        ("When did the pump fail?", "during the storm", 1.0),
        ("When was version 5 released?", "3.5.0", -1.0),
        ("When does the boat leave?", "at 7:30", 1.0),
        ("When do they come back?", "two hours later", 1.0),
        ("What do they wear when it rains?", "a cape", 0.0),
        ("How much is the tow?", "04:40", -1.0),
        ("How late may I come?", "22:30", 1.0),
        ("In which year was it built?", "a granite tower", -1.0),
        ("Who built it?", "Ada Lund", 1.0),
        ("Who built it?", "the fishermen", 0.0),
        ("Whose idea was it?", "12", 0.0),
        ("How many chairs are there?", "several", 0.0),
        ("Which exception is raised?", "ValueError", 1.0),
        ("Which exception is raised?", "queue.Full", 0.0),
        ("What does a lost lock raise?", "the message", -1.0),
        ("What question did she raise?", "the price", 0.0),
        ("Which environment variable names the folder?", "TMPDIR", 1.0),
        ("Which environment variable names the folder?", "_default", -1.0),
        ("How deeply may it be nested?", "deeply", -1.0),
        ("Which is older, Lothra or Sund?", "Lothra", 0.0),
        ("Which is older, of the choice between Lothra and Sund?", "Sund", 0.0),
        ("Which of the towns is older?", "the towns", -1.0),
    ],
)
def test_whether_an_answer_is_of_the_sort_asked_for(question, answer, fit):
    assert fits(question, answer) == fit
