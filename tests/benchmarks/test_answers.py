"""What the answer benchmark counts."""

from benchmarks.answers import Asked, leave_out, risks, summary
from benchmarks.sets import Question


def asked(f1: float, found: bool, confidence: float, answerable: bool = True) -> Asked:
    return Asked("q", "s", answerable, "x", found, confidence, float(f1 == 1), f1, True, 1, 0, 0.5)


ROWS = [
    asked(1.0, True, 0.9),
    asked(0.5, True, 0.6),
    asked(1.0, False, 0.2),
    asked(0.0, False, 0.1, answerable=False),
    asked(0.0, True, 0.8, answerable=False),
]


def test_what_was_not_given_scores_nothing():
    got = summary(ROWS)
    assert got["f1"] == 50.0 and got["f1_if_always_answered"] == 83.3 and got["em"] == 33.3
    # Two refused, one of them rightly, of two unanswerable: precision and recall one half each.
    assert got["not_found_f1"] == 50.0
    assert summary(ROWS[:3])["not_found_f1"] is None


def test_risk_is_read_off_the_most_confident():
    assert risks(ROWS) == {0.25: 0.0, 0.5: 50.0, 0.75: 37.5, 1.0: 50.0}


def test_questions_about_passages_left_out_have_no_answer():
    questions = [Question("s", str(i), "q", ["a"], [f"p{i}", "shared"] if i < 2 else [f"p{i}"], "span") for i in range(9)]
    passages = {f"p{i}": {} for i in range(9)} | {"shared": {}, "other": {}}
    asked, kept = leave_out(questions, passages, 0.5)
    assert len(kept) == 6 and "other" in kept
    assert all(bool(q.answers) == (set(q.golds) <= kept.keys()) for q in asked)
    assert leave_out(questions, passages, 0.0) == (questions, passages)
