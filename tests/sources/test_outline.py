"""Sections of AsciiDoc, Org, LaTeX, wiki, Textile and manual pages, by their own headings."""

from pathlib import Path

import pytest

from engine.sources.outline import outlined
from engine.sources.read import read_source

ASCIIDOC = """\
= Buoys
Ada Lind

Intro.

== Moorings ==
Text of moorings.

----
== not a heading
----

Chains
------
Text of chains.

Example:
----
code
----
"""


def sections(text: str, name: str) -> list[tuple[tuple[str, ...], str]]:
    found = outlined(text, name)
    assert not found or (found[0].start == 0 and found[-1].end == len(text))
    assert all(one.end == other.start for one, other in zip(found, found[1:]))
    return [(s.title, text[s.start : s.end].split("\n", 1)[0]) for s in found]


def test_asciidoc_headings_of_both_styles_but_not_in_listings():
    assert sections(ASCIIDOC, "a/buoys.adoc") == [
        (("Buoys",), "= Buoys"),
        (("Buoys", "Moorings"), "== Moorings =="),
        (("Buoys", "Chains"), "Chains"),
    ]


@pytest.mark.parametrize(
    "name, text, titles",
    [
        ("n.org", "before\n* Plans :work:\ntext\n** TODO Rope\nmore\n*bold* text\n", [(), ("Plans",), ("Plans", "Rope")]),
        ("t.tex", "\\section{Sea}\nx\n\\subsection*{Tide \\& wind}\ny\n", [("Sea",), ("Sea", "Tide \\& wind")]),
        ("p.wiki", "== Tides ==\r\nx\r\n=== Spring ===\r\ny", [("Tides",), ("Tides", "Spring")]),
        ("p.textile", "h1. Tides\n\nx\n\nh2(#a). Neap\n\ny", [("Tides",), ("Tides", "Neap")]),
        ("git.1", '.TH GIT 1\n.SH "NAME"\ngit\n.SH OPTIONS\n.SS Sub\nx', [(), ("NAME",), ("OPTIONS",), ("OPTIONS", "Sub")]),
    ],
)
def test_headings_of_each_markup(name: str, text: str, titles: list[tuple[str, ...]]):
    assert [title for title, _ in sections(text, name)] == titles


def test_what_marks_nothing_is_read_by_paragraphs_as_before(tmp_path: Path):
    assert outlined("== a ==\n", "notes.txt") == [] and outlined("no heading\n", "a.adoc") == []
    (tmp_path / "a.adoc").write_text("One.\n\nTwo.\n")
    (source,) = read_source(tmp_path / "a.adoc").sources
    assert [s.title for s in source.sections] == [(), ()] and source.kind == "text"
    (tmp_path / "b.adoc").write_text(ASCIIDOC)
    (source,) = read_source(tmp_path / "b.adoc").sources
    assert source.text == ASCIIDOC and source.sections[1].title == ("Buoys", "Moorings")
