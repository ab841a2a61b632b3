"""Headings of markups that mark them a line each: AsciiDoc, Org, LaTeX, wikis, Textile, manual pages. The text is the file itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from engine.sources.headings import sections_at
from engine.sources.types import Section

_PARTS = "part chapter section subsection subsubsection paragraph".split()
_EQUALS = re.compile(r"(?P<mark>={1,6})[ \t]+(?P<title>\S.*?)(?:[ \t]+=+)?$")
_WIKI = re.compile(r"(?P<mark>={1,6})[ \t]*(?P<title>[^=\s].*?)[ \t]*(?P=mark)$")
_ORG = re.compile(r"(?P<mark>\*{1,8})[ \t]+(?:(?:TODO|DONE)[ \t]+)?(?P<title>\S.*?)(?:[ \t]+:[\w:@]+:)?$")
_TEX = re.compile(rf"[ \t]*\\(?P<mark>{'|'.join(_PARTS)})\*?(?:\[[^\]]*\])?\{{(?P<title>.+?)\}}")
_TEXTILE = re.compile(r"(?P<mark>h[1-6])(?:\([^)]*\))?\.[ \t]+(?P<title>\S.*)$")
_MANUAL = re.compile(r"\.[ \t]*(?P<mark>S[HShs])[ \t]+\"?(?P<title>[^\"]+)\"?$")
_HEADING = {
    **dict.fromkeys(("adoc", "asciidoc"), _EQUALS),
    "org": _ORG,
    "tex": _TEX,
    "wiki": _WIKI,
    "textile": _TEXTILE,
    **dict.fromkeys("123456789", _MANUAL),
}
_UNDERLINES = "=-~^+"
_UNDERLINE = re.compile(r"([=\-~^+])\1{2,}$")
_FENCE = re.compile(r"(?:-{4,}|\.{4,}|/{4,}|`{3,})$")
"""AsciiDoc's listings, literals and comments, in which nothing is a heading."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_LONGEST_HEADING = 400


def outlined(text: str, name: str) -> list[Section]:
    """Sections with title paths, covering the text of a file of this name; none where its markup is not known here or marks nothing."""
    markup = PurePath(name).suffix[1:].lower()
    heading = _HEADING.get(markup)
    found = list(_headings(text, heading, heading is _EQUALS)) if heading else []
    return sections_at(found, len(text)) if found else []


def _headings(text: str, heading: re.Pattern[str], underlined: bool) -> Iterator[tuple[int, int, str]]:
    fence, start, above, alone = "", 0, "", True
    for match in _LINE.finditer(text):
        line = match[0].rstrip().lstrip("\ufeff")
        if fence:
            fence = "" if line == fence else fence
        elif underlined and alone and _underlines(line, above):
            yield start, _UNDERLINES.index(line[0]) + 1, above
            line = ""
        elif underlined and _FENCE.match(line):
            fence, line = line, ""
        elif len(line) <= _LONGEST_HEADING and (found := heading.match(line)):
            yield match.start(), _level(found["mark"]), found["title"]
            line = ""
        start, alone, above = match.start(), not above.strip(), line


def _underlines(line: str, title: str) -> bool:
    """Whether a line of AsciiDoc is the rule below a title: about as long as it."""
    return bool(_UNDERLINE.match(line)) and abs(len(line) - len(title)) <= 2 and title[:1].isalnum()


def _level(mark: str) -> int:
    if mark in _PARTS:
        return _PARTS.index(mark) + 1
    if mark[0] == "h":
        return int(mark[1])
    return 1 + (mark.lower() == "ss") if mark[0] == "S" else len(mark)
