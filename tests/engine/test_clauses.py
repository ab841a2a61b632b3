"""Which thing a question tells by a clause, and what is left to ask of it."""

import pytest

from engine.clauses import told_by_clause


@pytest.mark.parametrize(
    ("question", "asked", "left"),
    [
        ("Who is the mayor of the town where Ada Bell was born?", "In which town Ada Bell was born?", "Who is the mayor of ANSWER?"),
        (
            "What post does the colleague hold who offered to run the open day in Sund?",
            "Who offered to run the open day in Sund?",
            "What post does ANSWER hold?",
        ),
        ("Which exception does the function that parses dates raise?", "Which function parses dates?", "Which exception does ANSWER raise?"),
        ("How often must the valve that feeds the boiler be replaced?", "Which valve feeds the boiler?", "How often must ANSWER be replaced?"),
        (
            "In which year did the company that makes the Petrel drifter move to Bergen?",
            "Which company makes the Petrel drifter?",
            "In which year did ANSWER move to Bergen?",
        ),
        ("When was the album released that The Red Tour supported?", "Which album The Red Tour supported?", "When was ANSWER released?"),
        ("When was the person who wrote Red Mill born?", "Who wrote Red Mill?", "When was ANSWER born?"),
        ("What currency is used in the country whose capital is Oslo?", "Which country's capital is Oslo?", "What currency is used in ANSWER?"),
        (
            "Who composed the music for the film directed by Ada Bell?",
            "Which film was directed by Ada Bell?",
            "Who composed the music for ANSWER?",
        ),
        ("The pump is driven by a motor; which fuse protects that motor?", "The pump is driven by which motor?", "Which fuse protects ANSWER?"),
        ("We moved the lift to a harbour near Sund. How deep is that harbour?", "We moved the lift to which harbour near Sund?", "How deep is ANSWER?"),
        ("Ada showed the stripped threads; what torque do those bolts need?", "Ada showed the stripped threads: which bolts?", "What torque do ANSWER need?"),
        (
            "What is the population of the town that is home to the senator who proposed the bill?",
            "Who proposed the bill?",
            "What is the population of the town that is home to ANSWER?",
        ),
    ],
)
def test_the_thing_is_asked_for_first(question, asked, left):
    step = told_by_clause(question)
    assert step is not None and (step.asked, step.taken("ANSWER")) == (asked, left)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "What is the name of the actress who played Jenny?",
        "When was the stock exchange founded in the Netherlands?",
        "What happened because the cat told the king that dinner was late?",
        "When the envoys received an invitation from the court, who did they send instead?",
        "If the rule fires for a buoy, how soon does the manual want that buoy brought ashore?",
        "Who proposed the idea that cotton grows on trees?",
        "Which of the drugs that are used for asthma are safe?",
        "Which harbour was used? How deep is it?",
        "Was the man who played the lead known for his humour?",
        "What did the firm do " + "and " * 200 + "the man who built Sund?",
    ],
)
def test_nothing_is_told_by_a_clause_alone(question):
    assert told_by_clause(question) is None
