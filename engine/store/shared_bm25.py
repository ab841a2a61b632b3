"""BM25 over several full-text indexes as if they were one: how rare a word is, and how long a document, all tell together.

FTS5 ranks by its own documents alone. Each index therefore gives its best hits with their words and its counts; the
hits are scored anew by the sums. Formula and constants are FTS5's (https://sqlite.org/fts5.html#the_bm25_function).
"""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from engine.store.search import FTS_TOKENIZER, indexed

K1, B = 1.2, 0.75
LEAST_IDF = 1e-6
# The row of an index's data where FTS5 keeps how many rows it has, and the words of each column.
AVERAGES = 1


@dataclass(frozen=True)
class Counts:
    """Of one index: its documents, all their words, and in how many documents each term of a query stands."""

    documents: int
    words: int
    holding: tuple[int, ...]

    def __add__(self, other: Counts) -> Counts:
        holding = tuple(a + b for a, b in zip(self.holding, other.holding, strict=True))
        return Counts(self.documents + other.documents, self.words + other.words, holding)


def counts(connection: sqlite3.Connection, terms: Sequence[str]) -> Counts:
    held = (
        connection.execute("SELECT count(*) FROM documents_fts WHERE documents_fts MATCH ?", (term,)).fetchone()[0]
        for term in terms
    )
    row = connection.execute("SELECT block FROM documents_fts_data WHERE id = ?", (AVERAGES,)).fetchone()
    documents, *words = _integers(row[0]) if row and row[0] else [0]
    return Counts(documents, sum(words), tuple(held))


def scores(terms: Sequence[str], hits: Sequence[tuple[str, str]], total: Counts) -> list[float]:
    """The BM25 score of every hit (title, body), more is better, in a memory of these counts."""
    if not hits or not total.words:
        return [0.0] * len(hits)
    idf = [max(LEAST_IDF, math.log((total.documents - n + 0.5) / (n + 0.5))) for n in total.holding]
    texts, phrases = _tokenised(hits, terms)
    average = total.words / total.documents
    out = []
    for columns in texts:
        length = sum(map(len, columns))
        norm = K1 * (1 - B + B * length / average)
        found = (sum(_occurrences(phrase, words) for words in columns) for phrase in phrases)
        out.append(sum(weight * n * (K1 + 1) / (n + norm) for weight, n in zip(idf, found, strict=True) if n))
    return out


def _tokenised(hits: Sequence[tuple[str, str]], terms: Sequence[str]) -> tuple[list[list[list[str]]], list[list[str]]]:
    """The words of each hit's title and body, and of each term, as the index cuts and stems them."""
    rows = [*hits, *((term, "") for term in terms)]
    with closing(sqlite3.connect(":memory:")) as index:
        index.execute(f'CREATE VIRTUAL TABLE t USING fts5 (title, body, content="", tokenize="{FTS_TOKENIZER}")')
        index.execute("CREATE VIRTUAL TABLE words USING fts5vocab (t, 'instance')")
        numbered = [(i, indexed(title), indexed(body)) for i, (title, body) in enumerate(rows)]
        index.executemany("INSERT INTO t (rowid, title, body) VALUES (?, ?, ?)", numbered)
        cut: dict[tuple[int, str], list[tuple[int, str]]] = defaultdict(list)
        for term, row, column, offset in index.execute("SELECT term, doc, col, offset FROM words"):
            cut[row, column].append((offset, term))
    in_order = lambda row, column: [term for _, term in sorted(cut[row, column])]
    texts = [[in_order(row, "title"), in_order(row, "body")] for row in range(len(hits))]
    return texts, [in_order(len(hits) + i, "title") for i in range(len(terms))]


def _occurrences(phrase: list[str], words: list[str]) -> int:
    if len(phrase) == 1:
        return words.count(phrase[0])
    n = len(phrase)
    return sum(words[i : i + n] == phrase for i in range(len(words) - n + 1)) if n else 0


def _integers(block: bytes) -> list[int]:
    """SQLite's variable-length integers, high bits first; a ninth byte would hold eight bits."""
    values, value, length = [], 0, 0
    for byte in block:
        length += 1
        if length == 9:
            value = value << 8 | byte
        else:
            value = value << 7 | byte & 0x7F
            if byte & 0x80:
                continue
        values.append(value)
        value = length = 0
    return values
