"""Made two-passage questions: facts are read where they stand, comparisons point at the right one of two."""

import random
import re

from training.made_hops import entry_of, hop_samples

PEOPLE = (
    ("Ada Fell", "Norwegian", "(born 3 May 1950)"),
    ("Bo Lind", "Swedish", "(12 June 1931 – 4 April 1999)"),
    ("Carla Ruiz (director)", "Spanish", "(born July 9, 1944)"),
    ("Dan Okafor", "Norwegian", "(1 March 1962 – 2 March 2001)"),
)
WORKS = (("Salt Road", 1971, "Ada Fell"), ("North Pier (film)", 1980, "Carla Ruiz"), ("Last Lamp", 1999, "D. K. Somebody"))
RECORDS = [
    {"title": t, "text": f"{t.split(' (')[0]} {life} is a {nation} film director and actor. More is not known.\n\n# Life\n\nLater."}
    for t, nation, life in PEOPLE
] + [
    {"title": t, "text": f"{t.split(' (')[0]} is a {year} drama film directed by {maker}. The critics slept."}
    for t, year, maker in WORKS
]
BIRTHS = {"Ada Fell": 1950, "Bo Lind": 1931, "Carla Ruiz": 1944, "Dan Okafor": 1962}
NATIONS = {name.split(" (")[0]: nation for name, nation, _ in PEOPLE}


def test_facts_are_read_where_they_stand():
    person, work = entry_of(RECORDS[1]), entry_of(RECORDS[6])
    assert (person.fact("born"), person.fact("died"), person.fact("nation")) == ("12 June 1931", "4 April 1999", "Swedish")
    assert (work.kind, work.fact("year"), work.fact("maker"), work.maker[0]) == ("film", "1999", "D. K. Somebody", "director")
    assert entry_of({"title": "Rain", "text": "Rain is water that falls."}) is None


def test_questions_have_the_answer_their_passages_give():
    samples = hop_samples(RECORDS, 300, random.Random(5))
    kinds = {s["kind"] for s in samples}
    assert len(samples) == 300 and kinds == {"span", "yes", "no"}
    seen = set()
    for sample in samples:
        question = sample["question"]
        answers = [g["text"][a:b] for g in sample["golds"] for a, b in g["spans"]]
        assert {g["title"] for g in sample["golds"]}.isdisjoint(n["title"] for n in sample["negatives"])
        named = [n for n in BIRTHS if n in question]
        if re.search("born first|older|born earlier", question) and len(named) == 2:
            assert answers == [min(named, key=BIRTHS.get)]
            seen.add("compared")
        if sample["kind"] in ("yes", "no"):
            same = NATIONS[named[0]] == NATIONS[named[1]]
            assert sample["needs_all"] and (sample["kind"] == "yes") == same
        if "nationality" in question and "director of" in question and "Salt Road" in question:
            assert answers == ["Norwegian"] and len(sample["golds"]) == 2
            seen.add("bridge")
    assert seen == {"compared", "bridge"}
