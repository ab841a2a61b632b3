"""Several indexes rank as one: the very scores FTS5 gives when all documents are in one index."""

from __future__ import annotations

import random
import sqlite3
from functools import reduce
from operator import add

import pytest

from engine.store import search
from engine.store.search import terms_of
from engine.store.shared_bm25 import _integers, counts, scores

WORDS = "harbour pumps running run ran valve E-1042 café naïve the of top_k_docs O'Brien a/b seals seal".split()
QUERIES = ("Which pumps run in the harbour?", "E-1042", "top_k_docs of O'Brien", "café the the", "nothing here", "running seal a/b")


def index(rows: list[tuple[int, str, str]]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute(f'CREATE VIRTUAL TABLE documents_fts USING fts5 (title, body, content="", tokenize="{search.FTS_TOKENIZER}")')
    search.add(connection, rows)
    connection.commit()
    return connection


@pytest.fixture(scope="module")
def rows() -> list[tuple[int, str, str]]:
    rng = random.Random(3)
    draw = lambda most: " ".join(rng.choices(WORDS, k=rng.randrange(most)))
    return [(i, draw(4), draw(60)) for i in range(1, 90)]


@pytest.mark.parametrize("query", QUERIES)
def test_parts_score_as_the_whole_does(rows, query):
    whole = dict(search.search(index(rows), query, 1000))
    parts = [index(rows[:7]), index(rows[7:40]), index(rows[40:]), index([])]
    terms = terms_of(query)
    total = reduce(add, (counts(part, terms) for part in parts))
    assert total == counts(index(rows), terms) and total.documents == len(rows)
    found = [document for part in parts for document, _ in search.search(part, query, 1000)]
    texts = {number: (title, body) for number, title, body in rows}
    assert sorted(found) == sorted(whole)
    assert dict(zip(found, scores(terms, [texts[i] for i in found], total), strict=True)) == pytest.approx(whole, abs=1e-9)


def test_documents_taken_out_no_longer_count(rows):
    connection = index(rows)
    search.remove(connection, rows[50:])
    connection.commit()
    terms = terms_of(QUERIES[0])
    assert counts(connection, terms) == counts(index(rows[:50]), terms)


def test_no_words_and_no_documents():
    empty = index([])
    assert terms_of("?!") == [] and counts(empty, []).documents == 0
    assert scores(['"pump"'], [], counts(empty, ['"pump"'])) == []


def test_variable_length_integers():
    assert _integers(bytes([5, 0x81, 0x00, 0xFF, 0x7F])) == [5, 128, 16383]
    assert _integers(bytes([0xFF] * 9)) == [2**64 - 1]
