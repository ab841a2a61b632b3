from __future__ import annotations

import json

import pytest

from engine.errors import SourceError
from engine.sources import ReadResult, read_source


def read(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = read_source(path)
    return ReadResult(list(result.sources), result.errors)


def one(tmp_path, name, content):
    (source,) = read(tmp_path, name, content).sources
    at = 0
    for section in source.sections:
        assert at <= section.start < section.end <= len(source.text)
        at = section.end
    return source


def titles(source):
    return [section.title for section in source.sections]


def pieces(source):
    return {section.title: source.text[section.start : section.end] for section in source.sections}


def test_text_is_the_file(tmp_path):
    content = "\ufeffone\r\ntwo\r\n\r\n\r\nthree é\n"
    source = one(tmp_path, "a.txt", content)
    assert source.text == content and source.kind == "text" and source.title == "a.txt"
    assert [source.text[s.start : s.end] for s in source.sections] == ["\ufeffone\r\ntwo", "three é\n"]


@pytest.mark.parametrize("content", ["", " \n\t\r\n", "\ufeff", "\ufeff \n"])
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.py", "a.jsonl", "a.html"])
def test_empty(tmp_path, name, content):
    result = read(tmp_path, name, content)
    assert result.sources == [] and [e.reason for e in result.errors] == ["empty"]


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        read_source(tmp_path / "none.txt")
    with pytest.raises(SourceError, match="is a folder"):
        read_source(tmp_path)
    with pytest.raises(SourceError, match="not text"):
        read(tmp_path, "a.txt", b"\0\1\2")


def test_markdown_headings(tmp_path):
    content = (
        "---\ntitle: x\n# not a heading\n---\n\nintro\n\n# Install #\n\nText\n## On `Linux` {#linux}\n```sh\n# comment\n```\n"
        "~~~\n```\n# still code\n~~~\n    # indented\n<!--\n# hidden\n-->\nUsage\n=====\nlast\n\nSub [link](u)\n---\n- item\n---\n#nospace\n"
    )
    source = one(tmp_path, "a.md", content)
    assert source.text == content
    assert titles(source) == [(), ("Install",), ("Install", "On Linux"), ("Usage",), ("Usage", "Sub link")]
    assert pieces(source)["Install", "On Linux"].startswith("## On") and "still code" in pieces(source)["Install", "On Linux"]
    assert pieces(source)["Usage",].startswith("Usage\n=====")


def test_markdown_with_windows_line_ends_and_mark(tmp_path):
    source = one(tmp_path, "a.md", "\ufeff# A\r\n\r\ntext\r\n## B\r\nmore\r\n")
    assert titles(source) == [("A",), ("A", "B")]


def test_markdown_level_jumps(tmp_path):
    assert titles(one(tmp_path, "a.md", "### C\nx\n# A\ny\n### D\nz\n## B\nw\n")) == [("C",), ("A",), ("A", "D"), ("A", "B")]


def test_rst_headings(tmp_path):
    content = "=====\nGuide\n=====\n\nintro\n\nFirst\n-----\ntext\n\n:mod:`os`\n~~~~~~~~~\nx\n\nSecond\n------\n\n----\n\nend\n"
    source = one(tmp_path, "a.rst", content)
    assert titles(source) == [("Guide",), ("Guide", "First"), ("Guide", "First", "os"), ("Guide", "Second")]
    assert pieces(source)["Guide",].startswith("=====\nGuide")


def test_html_keeps_line_numbers(tmp_path):
    content = (
        "<!DOCTYPE html>\n<html><head><title>My &amp; page</title>\n<style>\np { color: red }\n</style></head>\n<body>\n<nav>\n<a>Home</a>\n"
        "</nav>\n<h1>Fish &amp;\n chips</h1>\n<p>One&nbsp;two<br>three</p><p>four</p>\n<script>\nlet x = '<p>no</p>';\n</script>\n"
        "<!-- gone\n -->\n<pre>\n  a   b\n</pre>\n<h2>Next</h2> five&#10;six <b>bo</b>ld\n</body>\n"
    )
    source = one(tmp_path, "a.html", content)
    lines, file_lines = source.text.split("\n"), content.split("\n")
    assert len(lines) == len(file_lines)
    for word in ("three", "five", "a   b", "chips", "four"):
        assert [i for i, line in enumerate(lines) if word in line] == [i for i, line in enumerate(file_lines) if word in line]
    assert source.title == "My & page" and "One two three four" in source.text and "five six bold" in source.text
    assert not any(word in source.text for word in ("Home", "color", "let x", "gone", "<"))
    assert titles(source)[-2:] == [("Fish & chips",), ("Fish & chips", "Next")]


def test_html_windows_line_ends_and_unclosed_markup(tmp_path):
    source = one(tmp_path, "a.htm", "<html><head><title>T</title>\r\n<body>\r\n<p>one\r\n<p>two <nav>x\r\n<main>three\r\n<a href='q")
    assert [line.strip() for line in source.text.split("\n")][:5] == ["", "", "one", "two", "three"]


@pytest.mark.parametrize("text", ["<a " * 20_000, "</a" * 20_000, "<!" * 20_000, "<a b='" * 20_000, "<!--" * 20_000, "a < b &#1; &#xD800; &bogus; c"])
def test_html_that_never_ends(tmp_path, text):
    for source in read(tmp_path, "a.html", "x " + text).sources:
        assert source.text.startswith("x") and source.text.encode("utf-8")


def test_html_attributes_and_raw_elements(tmp_path):
    source = one(tmp_path, "a.html", "<p title='a > b' x=\"</p>\">one</p><SCRIPT>if (a</b) '<p>'</SCRIPT ><br/>two 1 < 2<textarea><b></textarea>")
    assert source.text == "one two 1 < 2 <b>"


def test_html_cells_of_a_row_are_told_apart(tmp_path):
    markup = "<table><tr><th>Part</th><th>Replace</th></tr>\n<tr><td>Swivel</td> <td><b>30</b> months</td></tr>\n<tr><td>\nRing</td>\n<td></td><td>soon</td></tr></table> end"
    assert one(tmp_path, "a.html", markup).text.split("\n") == ["Part | Replace", "Swivel | 30 months", "", "Ring", "| | soon end"]


def test_html_without_text_is_empty(tmp_path):
    assert read(tmp_path, "a.html", "<html><script>x</script></html>").errors[0].reason == "empty"


def test_jsonl_records(tmp_path):
    lines = [
        json.dumps({"id": "a", "title": " The\nA ", "text": "first\n\nsecond"}),
        "{broken",
        json.dumps({"text": "no id"}),
        json.dumps({"id": 7, "text": "surrogate \ud800"}),
        json.dumps({"id": "a", "text": "again"}),
        json.dumps({"id": "e", "text": "  "}),
        json.dumps([1]),
        json.dumps({"id": "n", "text": 3}),
        "",
    ]
    result = read(tmp_path, "r.jsonl", "\ufeff" + "\n".join(lines))
    assert [(s.record, s.title, s.line, s.text) for s in result.sources] == [
        ("a", "The A", 1, "first\n\nsecond"), ("3", "3", 3, "no id"), ("7", "7", 4, "surrogate \ufffd"),
    ]  # fmt: skip
    told = {e.path.rsplit(":", 1)[1]: e.reason for e in result.errors}
    assert sorted(told) == ["2", "5", "6", "7", "8"]
    assert "not valid JSON" in told["2"] and 'id "a" was already used on line 1' in told["5"] and told["6"] == "empty"
    assert str(result.errors[0]).startswith(str(tmp_path / "r.jsonl") + ":2: ")


def test_jsonl_without_text_keys_is_plain_text(tmp_path):
    source = one(tmp_path, "log.jsonl", '{"level": "info"}\n{"level": "warn"}\n')
    assert source.kind == "text" and source.record is None


def test_deeply_nested_json_is_an_error_of_its_line(tmp_path):
    result = read(tmp_path, "a.jsonl", "[" * 200_000 + '\n{"text": "fine"}\n')
    assert len(result.sources) == 1 and len(result.errors) == 1


def test_latin1_offsets(tmp_path):
    source = one(tmp_path, "a.txt", "né à l'été, déjà vu\n\nle café fermé\n".encode("latin-1"))
    assert source.text.index("le café") == 21
