from __future__ import annotations

import pytest

from engine.store.search import fts_query


@pytest.mark.parametrize(
    "question, query",
    [
        ("What is the top_k_docs setting?", '"top_k_docs" OR "setting" OR "top_k_docs setting"'),
        ("error E-1042 in flask/app.py", '"error" OR "e-1042" OR "flask/app.py" OR "error e-1042"'),
        ("Keen granite, garden of stone walls", '"keen" OR "granite" OR "garden" OR "stone" OR "walls" OR "keen granite" OR "stone walls"'),
        ("Who is it?", '"who" OR "is" OR "it"'),
        ("Flask's \"config\" AND don't NEAR(x)", '"flask" OR "config" OR "near" OR "x"'),
        ("O\u2019Brien, O'Brien", "\"o'brien\""),
        ("?! -- ''", ""),
    ],
)
def test_query_of_a_question(question, query):
    assert fts_query(question) == query


def test_without_phrases_words_alone_are_looked_for():
    assert fts_query("the keen granite garden", phrases=False) == '"keen" OR "granite" OR "garden"'


def test_a_name_of_several_words_is_found_where_it_is_written_out(store, make):
    strewn = "A keen gull. Granite steps, a granite wall. The garden gate, keen wind, a keen frost. "
    with store.writer() as writer:
        texts = [strewn] * 3 + ["Of all places the keen granite garden, far away, was the one she liked best in those years."]
        ids = writer.commit([make.source(f"{i}.txt", 1, text=text) for i, text in enumerate(texts)])
    written = store.source_documents(ids[-1])[0].id
    assert store.search_text("the keen granite garden", 1)[0][0] == written
    assert store.search_text("the keen granite garden", 1, phrases=False)[0][0] != written


def test_best_document_first(store, make):
    texts = {
        "a.txt": "The harbour of Tromso opened; ships waited for error E-1042 to clear.",
        "b.txt": "Ships and more ships. Error codes E-1043 and 1042 are listed; top k docs is 16.",
        "c.txt": "Caf\u00e9 culture and running shoes.",
    }
    with store.writer() as writer:
        ids = writer.commit([make.source(name, 1, text=text) for name, text in texts.items()])
    document = dict(zip("abc", (store.source_documents(source_id)[0].id for source_id in ids), strict=True))
    (first, score), *rest = store.search_text("what about the ships?", 5)
    assert first == document["b"] and score > rest[0][1] > 0 and rest[0][0] == document["a"]
    assert [found for found, _ in store.search_text("E-1042", 5)] == [document["a"]]
    assert [found for found, _ in store.search_text("top_k_docs", 5)] == [document["b"]]
    assert [found for found, _ in store.search_text("did he run to the cafe", 5)] == [document["c"]]
    assert len(store.search_text("ships", 1)) == 1


@pytest.mark.parametrize("question", ['"', "NOT", "a* OR (", "^x", "{title}: y", "\x00", "_", "\ud800", "x " * 5000, "title:b"])
def test_no_question_breaks_the_query(store, make, question):
    with store.writer() as writer:
        writer.commit([make.source("a.txt", 1)])
    assert isinstance(store.search_text(question, 3), list)
