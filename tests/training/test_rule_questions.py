"""Made house rules: the value asked for is the one marked, and what is left out is not there."""

import json
import random

import pytest

from training.rule_questions import RULES, SLOT, VALUES, rule_samples

STORY = {"text": "The ferry was late that day, and the people on the pier began to grumble about it loudly. " * 3 + "\nshort"}


@pytest.fixture(scope="module")
def samples():
    return rule_samples([STORY] * 900, 900, random.Random(7))


def test_templates_are_whole():
    for domain, rules in json.loads(RULES.read_text(encoding="utf-8")).items():
        assert len(rules) >= 6, domain
        for rule in rules:
            assert len(rule["ask"]) >= 2
            if "value" in rule:
                assert rule["value"] in VALUES and all(len(SLOT.findall(say)) == 1 for say in rule["say"])
            else:
                assert {answer for _, answer in rule["say"]} == {"yes", "no"}


def test_every_kind_is_made(samples):
    kinds = {kind: sum(s["kind"] == kind for s in samples) for kind in ("span", "yes", "no", "null")}
    assert len(samples) == 900 and kinds["span"] > 400 and all(n > 20 for n in kinds.values()), kinds
    assert 100 < kinds["null"] < 220


def test_the_marked_value_is_the_one_the_statement_has(samples):
    for sample in samples:
        for gold in sample["golds"]:
            for a, b in gold["spans"]:
                assert gold["text"][a:b].strip() == gold["text"][a:b] != ""
                assert "{" not in gold["text"] and "{" not in sample["question"]
    units = {g["text"][a:b].split()[-1] for s in samples for g in s["golds"] for a, b in g["spans"]}
    assert {"degrees", "MB", "percent"} <= units


def test_a_second_text_tells_of_the_person(samples):
    two = [s for s in samples if len(s["golds"]) == 2]
    assert len(two) > 30
    for sample in two:
        first, people = sample["golds"]
        [[a, b]] = people["spans"]
        line = people["text"][people["text"].rfind("\n", 0, a) + 1 : (people["text"] + "\n").index("\n", b)]
        name = next(p for p in (x.strip("| ").split(" |")[0].split(",")[0] for x in people["text"].split("\n")) if p in first["text"])
        assert name in line and not first["spans"] and sample["needs_all"]


def test_what_is_not_said_is_not_answerable(samples):
    for sample in samples:
        if sample["kind"] == "null":
            assert not sample["golds"] and len(sample["negatives"]) == 2
