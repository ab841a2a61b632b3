"""HTML to text that keeps one output line for each input line.

Line n of the text is line n of the file, so that a citation's line numbers can be opened in the file itself: line ends
inside dropped markup stay, and nothing else makes a line end.
"""

from __future__ import annotations

import re
from html import unescape

from engine.sources.headings import sections_at
from engine.sources.markup import tokens
from engine.sources.titles import clean_title
from engine.sources.types import Section

_DROPPED = {"script", "style", "nav", "template", "svg", "iframe", "object", "noscript", "head"}
# A page that forgets to close a dropped element still shows its body.
_ENDS_DROPPING = {"body", "main", "article"}
_INLINE = set("a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike strong"
              " sub sup time tt u var wbr".split())  # fmt: skip
_CELLS = {"td", "th"}
_HEADING = re.compile(r"h[1-6]$")
_SPACES = re.compile(r"[^\S\n]+")
# Entities for line ends would add lines.
_LINE_ENTITIES = re.compile(r"&(?:#0*1[03]|#x0*[ad]|newline)(?:;|(?![\w]))", re.IGNORECASE)


def html_text(markup: str) -> tuple[str, str, list[Section]]:
    """(text, title or "", sections at the headings)."""
    markup = _LINE_ENTITIES.sub(" ", markup.replace("\r\n", "\n").replace("\r", "\n"))
    extractor = _Extractor()
    line, at = 1, 0
    for what, content, start in tokens(markup):
        line += markup.count("\n", at, start)
        at = start
        extractor.reach(line)
        if what == "text":
            extractor.text(unescape(content))
        elif what == "close":
            extractor.close(content)
        else:
            extractor.open(content, single=what == "single")
    extractor.reach(markup.count("\n") + 1)
    text = "".join(extractor.pieces)
    return text, clean_title("".join(extractor.title)), sections_at(extractor.headings, len(text))


class _Extractor:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length = 0
        self.title: list[str] = []
        self.headings: list[tuple[int, int, str]] = []
        self._line = 1
        self._dropping: list[str] = []
        self._in_title = False
        self._preformatted = 0
        self._heading: tuple[int, int, list[str]] | None = None
        self._space = False  # whether the next word on this line needs a space before it
        self._cells = 0  # of the table's row so far
        self._strokes = 0  # further cells of the row that have begun since its last word

    def reach(self, line: int) -> None:
        """Emit line ends until the text is at the file's line."""
        if line > self._line:
            self._emit("\n" * (line - self._line))

    def open(self, tag: str, single: bool) -> None:
        if tag not in _INLINE:
            self._space = True
        if tag == "tr":
            self._cells = self._strokes = 0
        elif tag in _CELLS:
            self._cells += 1
            self._strokes += self._cells > 1
        if single:
            return
        if tag in _ENDS_DROPPING:
            self._dropping.clear()
        if tag == "title" and not self.title:
            self._in_title = True
        elif tag in _DROPPED:
            self._dropping.append(tag)
        elif not self._dropping and _HEADING.match(tag):
            self._heading = (self.length, int(tag[1]), [])
        elif tag == "pre":
            self._preformatted += 1

    def close(self, tag: str) -> None:
        if tag not in _INLINE:
            self._space = True
        if tag == "title":
            self._in_title = False
        elif tag in self._dropping:
            del self._dropping[self._dropping.index(tag) :]
        elif self._heading and _HEADING.match(tag):
            start, level, words = self._heading
            self._heading = None
            if name := clean_title("".join(words)):
                self.headings.append((start, level, name))
        elif tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)

    def text(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
            return
        if self._dropping or not data:
            return
        if not self._preformatted:
            data = _SPACES.sub(" ", data)
            data = re.sub(r" ?\n ?", "\n", data)
        if self._heading:
            self._heading[2].append(data if not self._space else " " + data)
        if self._strokes and data.strip():
            before = data[: len(data) - len(data.lstrip())]
            alone = "\n" in before or self._at_line_start(or_space=True)
            data = f"{before if alone else ' '}{'| ' * self._strokes}{data.lstrip()}"
            self._strokes = 0
        if self._space and not data[0].isspace() and not self._at_line_start():
            data = " " + data
        if data.startswith(" ") and not self._preformatted and self._at_line_start(or_space=True):
            data = data[1:]
        if data:
            self._space = False
            self._emit(data)

    def _at_line_start(self, or_space: bool = False) -> bool:
        return not self.pieces or self.pieces[-1][-1] == "\n" or (or_space and self.pieces[-1][-1] == " ")

    def _emit(self, data: str) -> None:
        self.pieces.append(data)
        self.length += len(data)
        self._line += data.count("\n")
