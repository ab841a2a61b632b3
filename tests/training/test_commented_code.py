"""Questions over code in several languages: what is asked for stands where the answer is marked."""

import random

import pytest

from training.commented_code import commented_samples

AROUND = "first line of something else\nsecond line of something else\n"
CODE = {
    "go value": ("\tretryLimit = 7 // attempts before a job is dropped\n", {"7", "retryLimit"}),
    "c macro": ("#define MAX_DEPTH 24 /* levels the parser goes down */\n", {"24", "MAX_DEPTH"}),
    "python default in class": ("    pause: float = 0.25  # seconds between two polls of the queue\n", {"0.25", "pause"}),
    "javadoc": ("     * @param width the width of a cell in pixels\n", {"the width of a cell in pixels"}),
    "sphinx": ("    :param folder: where the finished files are put\n", {"folder", "where the finished files are put"}),
    "thrown": ('  throw new DepthException("the tree must not be empty here");\n', {"DepthException"}),
    "ruby": ('    raise Empty::Box, "there is nothing left in the box"\n', {"Empty::Box"}),
    "environment": ('data_folder = os.environ.get("BOX_DATA", "x")\n', {"BOX_DATA"}),
    "go function": (
        "// Shrink removes every gap between two neighbours.\nfunc Shrink() {}\n",
        {"Shrink", "removes every gap between two neighbours"},
    ),
    "expectation": ("assert total([1, 2]) == 3\n    assertEquals(5, tree.height());\n", {"3", "5"}),
}  # fmt: skip


def made(code: str) -> list[dict]:
    record = {"title": "a file", "text": AROUND + code + AROUND}
    return [s for seed in range(80) for s in commented_samples([record], 5, random.Random(seed))]


@pytest.mark.parametrize("name", CODE)
def test_answers_are_marked_where_they_stand(name):
    code, wanted = CODE[name]
    samples = [s for s in made(code) if s["kind"] == "span"]
    answers = set()
    for sample in samples:
        [gold] = sample["golds"]
        [(a, b)] = gold["spans"]
        answers.add(gold["text"][a:b])
        assert gold["text"] in AROUND + code + AROUND
        assert gold["text"][a:b] not in sample["question"]
    assert answers == wanted


def test_one_in_six_has_the_lines_that_tell_taken_out():
    samples = made(CODE["go value"][0])
    nulls = [s for s in samples if s["kind"] == "null"]
    assert 0.05 < len(nulls) / len(samples) < 0.3
    assert all("retryLimit" not in s["negatives"][0]["text"] and not s["golds"] for s in nulls)


def test_a_demand_is_asked_for_as_it_is_broken():
    asked = {s["question"] for s in made(CODE["thrown"][0])}
    assert any("is empty" in q for q in asked)


def test_nothing_is_asked_of_what_is_no_comment():
    assert not made("url = 1 // https://example.org/something/longer\n")
    assert not made("x = compute(3)\n")
