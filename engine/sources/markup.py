"""HTML split into tags and text, in time proportional to its length whatever it holds.

The standard library's HTMLParser takes minutes over 100 KB of tags that are never closed. What extraction needs is less:
names of tags and the text between them; attributes are only passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Elements whose content is not markup, up to their end tag.
_RAW = {"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"}
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
_UNQUOTED = re.compile(r"[^>\"']*")


def tokens(markup: str) -> Iterator[tuple[str, str, int]]:
    """(what, name or text, start) where what is "open", "close", "single" (`<a/>`) or "text", in order.

    Text is raw: entities are not resolved. Comments, declarations and attributes are left out.
    """
    at, length = 0, len(markup)
    ends = _Ends(markup)
    while at < length:
        start = markup.find("<", at)
        if start < 0:
            yield "text", markup[at:], at
            return
        if start > at:
            yield "text", markup[at:start], at
        name = _NAME.match(markup, start)
        if name:
            at = ends.tag(name.end())
            tag = name[1].lower()
            if markup[start + 1] == "/":
                yield "close", tag, start
            elif markup[at - 2] == "/":
                yield "single", tag, start
            else:
                yield "open", tag, start
                if tag in _RAW:
                    close = re.compile(f"</{re.escape(tag)}(?=[\\s/>])", re.IGNORECASE).search(markup, at)
                    stop = close.start() if close else length
                    if stop > at:
                        yield "text", markup[at:stop], at
                    at = stop
        elif markup.startswith("<!--", start):
            at = ends.after("-->", start + 4)
        elif markup.startswith("<![CDATA[", start):
            at = ends.after("]]>", start + 9)
        elif markup.startswith(("<!", "<?", "</"), start):
            at = ends.after(">", start + 2)
        else:
            yield "text", "<", start
            at = start + 1


class _Ends:
    """Searches for what ends a tag; a mark once not found is not looked for again, which keeps it linear."""

    def __init__(self, markup: str):
        self.markup = markup
        self._missing: set[str] = set()

    def find(self, mark: str, at: int) -> int:
        if mark in self._missing:
            return -1
        found = self.markup.find(mark, at)
        if found < 0:
            self._missing.add(mark)
        return found

    def after(self, mark: str, at: int) -> int:
        """Just after the next `mark`, or the end of the markup."""
        found = self.find(mark, at)
        return len(self.markup) if found < 0 else found + len(mark)

    def tag(self, at: int) -> int:
        """Just after the `>` that ends a tag; one inside a quoted attribute does not."""
        first = at
        while at < len(self.markup):
            at = _UNQUOTED.match(self.markup, at).end()  # type: ignore[union-attr]
            if at == len(self.markup):
                break
            if self.markup[at] == ">":
                return at + 1
            close = self.find(self.markup[at], at + 1)
            if close < 0:  # a stray quote
                return self.after(">", first)
            at = close + 1
        return len(self.markup)
