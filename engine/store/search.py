"""Full-text search over documents: a safe FTS5 query from a question's words, ranked by BM25."""

from __future__ import annotations

import re
import sqlite3

MAX_TERMS = 64
# A later round's question brings its evidence along; what stands together in the question comes first.
MAX_PHRASES, LONGEST_PHRASE = 8, 6
FTS_TOKENIZER = "porter unicode61 remove_diacritics 2"

# A word, or an identifier whose parts are joined by punctuation: `top_k_docs`, `E-1042`, `flask/app.py`, `O'Brien`.
TERM = re.compile(r"\w+(?:[-./:@+&']+\w+)*")
POSSESSIVE = re.compile(r"'[sS]\b")

STOP_WORDS = frozenset(
    """a about above after again all also am an and any are arent as at be because been before being below between both
    but by can cant could couldnt did didnt do does doesnt doing dont down during each few for from further had has
    have having he her here hers him his how i if im in into is isnt it its ive just me more most my no nor not now of
    off on once only or other our ours out over own please same she should so some such than that the their theirs
    them then there these they this those through to too under until up us very was wasnt we were what when where
    which while who whom whose why will with would you your yours""".split()
)


def terms_of(question: str, phrases: bool = True) -> list[str]:
    """The question's words as quoted terms, an identifier as one phrase; then, with `phrases`, the runs of words that
    stand together in it: a name of several words is found where it is written out, not where its words are strewn."""
    plain = POSSESSIVE.sub("", indexed(question).replace("\u2019", "'"))
    words, runs = [], [[]]
    end = 0
    for match in TERM.finditer(plain):
        word = match.group().lower()
        stop = word.replace("'", "") in STOP_WORDS
        if stop or plain[end : match.start()].strip() or len(runs[-1]) == LONGEST_PHRASE:
            runs.append([])
        if not stop:
            runs[-1].append(word)
        words.append(word)
        end = match.end()
    kept = [word for run in runs for word in run] or words
    joined = [" ".join(run) for run in runs if len(run) > 1][:MAX_PHRASES] if phrases else []
    return [f'"{term}"' for term in dict.fromkeys([*list(dict.fromkeys(kept))[:MAX_TERMS], *joined])]


def fts_query(question: str, phrases: bool = True) -> str:
    """The question's terms joined by OR. Empty if it has no words."""
    return " OR ".join(terms_of(question, phrases))


def search(connection: sqlite3.Connection, question: str, k: int, phrases: bool = True) -> list[tuple[int, float]]:
    """The k best (document id, score), best first; the score is BM25 with the sign turned: more is better."""
    query = fts_query(question, phrases)
    if not query or k < 1:
        return []
    rows = connection.execute(
        "SELECT rowid, -rank FROM documents_fts WHERE documents_fts MATCH ? ORDER BY rank LIMIT ?", (query, k)
    )
    return rows.fetchall()


def indexed(text: str) -> str:
    """What the index is given for `text`. Deleting needs the very same string, so it must depend on nothing else."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def add(connection: sqlite3.Connection, rows: list[tuple[int, str, str]]) -> None:
    """Index documents: (document id, title, body)."""
    connection.executemany("INSERT INTO documents_fts (rowid, title, body) VALUES (?, ?, ?)", rows)


def remove(connection: sqlite3.Connection, rows: list[tuple[int, str, str]]) -> None:
    """Take documents out of the index; title and body must be those they were added with."""
    connection.executemany(
        "INSERT INTO documents_fts (documents_fts, rowid, title, body) VALUES ('delete', ?, ?, ?)", rows
    )
