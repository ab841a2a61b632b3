from __future__ import annotations

import random

import pytest

from engine.sources import Section, SourceText, cut, read_source


def words(texts):
    return [len(text.split()) for text in texts]


def characters(texts):
    return [len(text) for text in texts]


def octets(texts):
    return [len(text.encode()) for text in texts]


def greedy_joiner(texts):
    """Counts more for a whole than for the sum of its parts, as no tokenizer should but one might."""
    return [len(text.split()) + text.count("\n\n") * 3 for text in texts]


def source(text, sections=None, kind="text", title="a.txt", **more):
    return SourceText(text, kind, title, [Section(0, len(text))] if sections is None else sections, **more)


def check(src, documents, count, limit, name="a.txt"):
    at = 0
    for document in documents:
        assert at <= document.start < document.end
        assert not src.text[at : document.start].strip("\ufeff \t\r\n\f\v\x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029\u3000")
        body = src.text[document.start : document.end]
        assert body == body.strip() and document.title.startswith(name)
        assert count([body])[0] <= limit or len(body) == 1
        at = document.end
    assert not src.text[at:].strip("\ufeff").strip()


ODD = {
    "enormous word": "start " + "x" * 3000 + " end",
    "enormous line": "word " * 3000,
    "blank ocean": "a" + " " * 5000 + "b" + "\n" * 5000 + "c",
    "no spaces": "漢字かな。まじり文！" * 300,
    "emoji": "👩‍👩‍👧 🎉 " * 200,
    "carriage returns": "one two\rthree\r\r" * 200,
    "windows": "one two three\r\n\r\nfour five\r\n" * 100,
    "unicode spaces": "a\u3000b\u2028c\u2029d\xa0e\x85f " * 100,
    "mark": "\ufeff" + "text and more " * 50,
    "one letter": "x",
    "sentences": "This is one. Is it? Yes! (He said.) \"So.\" " * 60,
    "combining": "e\u0301" * 500,
}  # fmt: skip


@pytest.mark.parametrize("count", [words, characters, octets, greedy_joiner])
@pytest.mark.parametrize("limit", [1, 7, 64, 500])
@pytest.mark.parametrize("name", ODD)
def test_odd_texts(name, limit, count):
    src = source(ODD[name])
    check(src, cut(src, "a.txt", count, limit), count, limit)


@pytest.mark.parametrize("seed", range(30))
def test_random_sections(seed):
    rng = random.Random(seed)
    text = "".join(rng.choice(["word ", "longer-word ", ". ", "\n", "\n\n", "é ", "   "]) for _ in range(rng.randint(1, 3000)))
    edges = sorted({rng.randint(0, len(text)) for _ in range(rng.randint(0, 40))})
    heads = [("A",), ("A", "b"), ("A", "c"), ("B",), ()]
    sections = [Section(s, e, rng.choice(heads)) for s, e in zip(edges, edges[1:]) if e > s and rng.random() < 0.8]
    src = source(text, sections, kind=rng.choice(["code", "markdown"]))
    limit, count = rng.choice([5, 40, 200]), rng.choice([words, characters, greedy_joiner])
    check(src, cut(src, "a.txt", count, limit), count, limit)


def test_a_word_is_not_divided_unless_it_must():
    src = source("alpha beta gamma delta " * 50)
    for document in cut(src, "a.txt", characters, 13):
        assert set(src.text[document.start : document.end].split()) <= {"alpha", "beta", "gamma", "delta"}


def test_natural_boundaries_are_preferred():
    paragraph = "\n".join("seven words stand on every single line" for _ in range(4))
    text = "\n\n".join([paragraph] * 10)
    src = source(text)
    for document in cut(src, "a.txt", words, 40):
        assert src.text[document.start : document.end] == paragraph


def test_sentences_before_words():
    src = source("One two three four five. " * 40)
    assert all(src.text[d.start : d.end].endswith("five.") for d in cut(src, "a.txt", words, 13))


def test_paragraphs_are_put_together_greedily():
    src = source("five words are in here\n\n" * 100)
    documents = cut(src, "a.txt", words, 50)
    assert len(documents) == 10


def test_no_crumb_is_left_at_the_end():
    src = source("one two three four\n" * 105)
    sizes = [words([src.text[d.start : d.end]])[0] for d in cut(src, "a.txt", words, 400)]
    assert sum(sizes) == 420 and min(sizes) >= 60


def sectioned(parts, kind="code"):
    text, sections = "", []
    for title, size in parts:
        sections.append(Section(len(text), len(text) + 5 * size, title))
        text += "word\n" * size
    return source(text, sections, kind=kind)


def shape(src, limit=200, name="a.py"):
    return [(d.title, words([src.text[d.start : d.end]])[0]) for d in cut(src, name, words, limit)]


def test_functions_of_a_size_stay_alone_and_small_ones_join():
    src = sectioned([((), 20), (("def a",), 80), (("def b",), 30), (("def c",), 30), (("def d",), 25), (("def e",), 150)])
    assert shape(src) == [("a.py > def a", 100), ("a.py", 85), ("a.py > def e", 150)]


def test_class_header_joins_its_small_methods():
    src = sectioned([(("class A",), 30), (("class A", "def x"), 20), (("class A", "def y"), 20), (("class B",), 90)])
    assert shape(src) == [("a.py > class A", 70), ("a.py > class B", 90)]


def test_prose_sections_under_one_heading_join():
    src = sectioned([(("T",), 5), (("T", "a"), 70), (("T", "b"), 80), (("T", "c"), 120)], kind="markdown")
    assert shape(src, name="d/h.md") == [("d/h.md > T", 155), ("d/h.md > T > c", 120)]


def test_a_long_section_keeps_its_title_in_every_part():
    src = sectioned([(("def a",), 450)])
    assert {title for title, _ in shape(src)} == {"a.py > def a"} and len(shape(src)) == 3


def test_pages_are_preferred_to_paragraphs():
    page = "\n\n".join(["ten words of text make up one short paragraph here"] * 7)
    text = "\n\n".join([page] * 4)
    starts = [i * (len(page) + 2) for i in range(4)]
    src = source(text, [Section(0, len(text), ("All",))], kind="pdf", title="Book", page_starts=starts)
    documents = cut(src, "x/b.pdf", words, 100)
    assert [d.start for d in documents] == starts and documents[0].title == "Book > All"


def test_titles(tmp_path):
    (tmp_path / "leave.md").write_text("# Parental leave\n\n" + "word " * 120)
    (markdown,) = read_source(tmp_path / "leave.md").sources
    assert [d.title for d in cut(markdown, "handbook/leave.md", words, 300)] == ["handbook/leave.md > Parental leave"]
    record = source("text", kind="jsonl", title="Paris", record="7", line=1)
    assert cut(record, "r.jsonl", words, 10)[0].title == "Paris"
    page = source("text", kind="pdf", title="b.pdf")
    assert cut(page, "x/b.pdf", words, 10)[0].title == "x/b.pdf"


def test_the_counter_sees_many_pieces_at_a_time():
    calls = []

    def count(texts):
        calls.append(len(texts))
        return words(texts)

    cut(source("some words in a line\n" * 20_000), "a.txt", count, 50)
    assert len(calls) < 20 and max(calls) > 1_000


def test_max_tokens_must_be_positive():
    with pytest.raises(ValueError):
        cut(source("x"), "a", words, 0)
