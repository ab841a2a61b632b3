from __future__ import annotations

import random

import pytest

from engine.grounding import MAX_QUOTE, best_sentence, cite, quote_span, sentence_spans


def sentences(text: str, **options) -> list[str]:
    return [text[a:b] for a, b in sentence_spans(text, **options)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ('He said "no." Then he left.', ['He said "no.', "Then he left."]),
        ("It cost 3.5 euros. 12 were sold.", ["It cost 3.5 euros.", "12 were sold."]),
        ("see e.g. the list", ["see e.g. the list"]),
        ("Title\n\nBody of it.", ["Title", "Body of it."]),
        ("Title\r\n\r\nBody of it.\r\n", ["Title", "Body of it."]),
        ("Bring:\n- a lamp\n- a rope", ["Bring:", "- a lamp", "- a rope"]),
        ("Bring:\r\n1. a lamp\r\n2. a rope", ["Bring:", "1. a lamp", "2. a rope"]),
        ("a line\nthat goes on", ["a line\nthat goes on"]),
        ("  \n ", []),
    ],
)
def test_sentences(text, expected):
    assert sentences(text) == expected


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_code(end):
    text = end.join(["def f(x):", "    return x. Y", "", "f(1)", ""])
    assert sentences(text, by_line=True) == ["def f(x):", "return x. Y", "f(1)"]


def test_a_quote_is_the_whole_sentence():
    text = "The rest lapses. Five days carry over. Ask Mina."
    start = text.index("Five") + 5
    a, b = quote_span(text, start, start + 4)
    assert text[a:b] == "Five days carry over."
    a, b = quote_span(text, text.index("days"), text.index("Ask") + 3)
    assert text[a:b] == "Five days carry over. Ask Mina."


def test_a_cell_is_quoted_with_its_row():
    text = "Where\n| Room\n\nNorway\n| £165\n\nLondon\n| £175\n\nNo more."
    for cell, row in (("£165", "Norway\n| £165"), ("London", "London\n| £175"), ("No more", "No more.")):
        start = text.index(cell)
        assert text[slice(*quote_span(text, start, start + len(cell)))] == row


def test_a_code_quote_is_its_line():
    text = "LIMIT = 4\r\n\r\ndef retry():\r\n    return LIMIT\r\n"
    start = text.index("4")
    a, b = quote_span(text, start, start + 1, by_line=True)
    assert text[a:b] == "LIMIT = 4"


def test_a_long_sentence_is_cut_at_blanks():
    text = "start " + "word " * 200 + "needle " + "word " * 200 + "end."
    start = text.index("needle")
    a, b = quote_span(text, start, start + 6)
    assert b - a <= MAX_QUOTE and a <= start and b >= start + 6
    assert text[a - 1] == " " and text[b] == " "


@pytest.mark.parametrize("seed", range(6))
def test_quotes_hold_the_answer_and_are_short(seed):
    dice = random.Random(seed)
    text = "".join(dice.choice(["word ", "A", ". ", "\n", "\r\n", "x" * 400, "- ", "3"]) for _ in range(120)) + "end"
    for _ in range(40):
        start = dice.randrange(len(text) - 1)
        end = dice.randint(start + 1, min(start + 60, len(text)))
        a, b = quote_span(text, start, end, by_line=bool(seed % 2))
        assert 0 <= a <= start and end <= b <= len(text)
        assert b - a <= max(MAX_QUOTE, end - start) + 1


def test_the_sentence_that_shares_most_words():
    text = "Trains leave at nine. Mina Okafor books the trains. Flights are rare."
    a, b = best_sentence(text, "Who books trains for Mina?")
    assert text[a:b] == "Mina Okafor books the trains."
    a, b = best_sentence(text, "zebra")
    assert text[a:b] == "Trains leave at nine."
    long = "x " * 400 + "trains"
    a, b = best_sentence(long, "trains")
    assert b - a <= MAX_QUOTE


def test_a_citation_is_refused_when_the_text_says_otherwise(memory):
    store = memory._open()
    [row] = store.source_documents(memory.find("notes.txt")[0].id)
    text = store.text(row.source_id)
    at = text.index("Her desk")
    found = cite(store, row, at, "Her desk is number 14")
    assert (found.start, found.end, found.lines, found.page) == (at, at + 21, (3, 3), None)
    assert found.location == "notes.txt:3-3"
    assert cite(store, row, at, "Her desk is number 15") is None
    assert cite(store, row, at + 1, "Her desk is number 14") is None
    assert cite(store, row, len(text) - 1, "and more") is None
    assert cite(store, row, at, "") is None


def test_an_answer_whose_quote_does_not_hold_is_not_given(memory, monkeypatch):
    assert memory.ask("Where does Mina Okafor work?").found
    monkeypatch.setattr("engine.asking.cite", lambda store, row, start, quote: None)
    answer = memory.ask("Where does Mina Okafor work?")
    assert (answer.found, answer.answer, answer.citations) == (False, None, [])
    assert answer.dropped_citations >= 1 and answer.confidence < 0.5
