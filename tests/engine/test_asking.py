"""When a question is asked as it stands, and when it is taken apart."""

from types import SimpleNamespace

import pytest

from engine.asking import Asker
from engine.results import Answer, Citation

WHOLE = "What post does the colleague hold who offered to run the open day in Sund?"
FIRST = "Who offered to run the open day in Sund?"
REST = "What post does Ada Bell hold?"


def answered(question, answer, confidence):
    cited = [Citation(f"{answer}.txt", None, None, (1, 1), 0, 1, answer)] if answer else []
    timings = {"load": 1.0, "hops": 1.0, "ground": 1.0, "total": 3.0}
    return Answer(question, answer, answer is not None, confidence, cited, [], timings, answers=[answer] if answer else [])


@pytest.fixture
def asker():
    """Says what `told` has for a question, and notes what it was asked."""
    asker = Asker(None, SimpleNamespace(policy={}))
    asker.told, asker.asked = {}, []

    def ask(question, *_):
        asker.asked.append(question)
        return answered(question, *asker.told.get(question, (None, 0.1)))

    asker._ask = ask
    return asker


def test_a_sure_answer_is_taken_as_it_is(asker):
    asker.told = {WHOLE: ("Engineer", 0.6), FIRST: ("Ada Bell", 0.9), REST: ("Office Manager", 0.9)}
    assert asker.ask(WHOLE, None, None, None).answer == "Engineer"
    assert asker.asked == [WHOLE]


def test_an_unsure_question_is_asked_by_steps(asker):
    asker.told = {WHOLE: ("Engineer", 0.3), FIRST: ("Ada Bell", 0.8), REST: ("Office Manager", 0.5)}
    answer = asker.ask(WHOLE, None, None, None)
    assert (answer.question, answer.answer, answer.confidence) == (WHOLE, "Office Manager", 0.4)
    assert [c.quote for c in answer.citations] == ["Office Manager", "Ada Bell"]
    assert asker.asked == [WHOLE, FIRST, REST]
    assert answer.timings_ms["total"] == 9.0


@pytest.mark.parametrize("step", [(None, 0.1), ("a good deal of what nobody could put into a question", 0.9), ("Ada Bell", 0.4)])
def test_what_steps_do_not_make_surer_stays(asker, step):
    asker.told = {WHOLE: ("Engineer", 0.3), FIRST: step, REST: ("Office Manager", 0.5)}
    assert asker.ask(WHOLE, None, None, None).answer == "Engineer"


def test_a_relative_at_one_remove_is_asked_for_by_steps(asker):
    question = "Who is the paternal grandfather of Ada Bell?"
    asker.told = {question: ("Carl Bell", 0.8), "Who is the father of Ada Bell?": ("Carl Bell", 0.8), "Who is the father of Carl Bell?": ("Dag Bell", 0.7)}
    answer = asker.ask(question, None, None, None)
    assert (answer.question, answer.answer, answer.confidence) == (question, "Dag Bell", 0.7)
    del asker.told["Who is the father of Carl Bell?"]
    assert asker.ask(question, None, None, None).answer == "Carl Bell"


def test_one_round_is_one_round(asker):
    asker.told = {FIRST: ("Ada Bell", 0.9), REST: ("Office Manager", 0.9)}
    assert not asker.ask(WHOLE, None, 1, None).found
    assert asker.asked == [WHOLE]


def test_taking_apart_ends(asker):
    whole = "Who owns the house that the man built who met the woman who led the party that won Sund?"
    asker.told = {q: ("Ada Bell", 0.9) for q in ("Which party won Sund?", "Who led Ada Bell?", "Who met Ada Bell?")}
    assert not asker.ask(whole, None, None, None).found
    assert len(asker.asked) <= 6
