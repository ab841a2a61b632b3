"""Source code: sections at functions, classes and methods, by tree-sitter.

The sections cover the whole file in order: each runs to the start of the next, so that closing brackets and trailing
lines stay with what they end. Code between definitions (imports, constants) is a section with the title of what
encloses it. tree-sitter goes on after syntax errors, so a broken file still gives the definitions around the break.
"""

from __future__ import annotations

import re
from typing import Any

from engine.sources.grammars import GRAMMARS, Grammar, parser_for
from engine.sources.titles import clean_title
from engine.sources.types import Section

# A class of fewer bytes than this stays in one piece (about 400 tokens).
LARGE_CONTAINER = 1_600
# Generated files; a parse takes about ten times their size in memory.
LARGEST_FILE = 8_000_000
DEEPEST = 16

_FUNCTION_VALUES = {"arrow_function", "function_expression", "generator_function", "class", "function"}
_ASSIGNMENTS = {"lexical_declaration", "variable_declaration", "assignment_expression"}
_EMPTY = {"empty_statement", "access_specifier"}


def code_sections(text: str, language: str) -> list[Section] | None:
    """Sections with title paths such as ("class Flask", "def route"); None when there is no grammar or no parse."""
    parser = parser_for(language)
    if parser is None or len(text) > LARGEST_FILE:
        return None
    data = text.encode("utf-8")
    root = parser.parse(data).root_node
    if root.type == "ERROR":
        return None
    walk = _Walk(data, GRAMMARS[language])
    walk.children(root, (), 0)
    starts = walk.starts
    offsets = _characters(data, [start for start, _ in starts])
    ends = [*offsets[1:], len(text)]
    return [
        Section(start, end, title) for start, end, (_, title) in zip(offsets, ends, starts, strict=True) if end > start
    ]


class _Walk:
    def __init__(self, data: bytes, grammar: Grammar):
        self.data = data
        self.grammar = grammar
        self.starts: list[tuple[int, tuple[str, ...]]] = [(0, ())]
        self._plain = True  # whether the last section is code between definitions

    def children(self, parent: Any, path: tuple[str, ...], depth: int) -> None:
        """Sections of the nodes directly below `parent`, whose title path is `path`."""
        lead: int | None = None  # where the comments and attributes before the next node start
        end = parent.start_byte
        for node in parent.named_children:
            start = node.start_byte
            if lead is not None and self._blank_line(end, start):
                self._code(lead, path)
                lead = None
            if "comment" in node.type or node.type in self.grammar.prefixes:
                # A comment that begins behind code on its line belongs to that code.
                if lead is None and (depth == 0 and start == parent.start_byte or b"\n" in self.data[end:start]):
                    lead = start
                end = node.end_byte
                continue
            end = node.end_byte
            first, lead = (start if lead is None else lead), None
            if node.type in self.grammar.passages and depth < DEEPEST:
                self._code(first, path)
                self.children(node, path, depth + 1)
            elif (inner := self._definition(node)) is not None:
                self._define(inner, first, path, depth)
            elif node.type not in _EMPTY:
                self._code(first, path)
        if lead is not None:
            self._code(lead, path)

    def _code(self, start: int, path: tuple[str, ...]) -> None:
        if not self._plain or self.starts[-1][1] != path:
            self._start(start, path)
            self._plain = True

    def _define(self, node: Any, start: int, path: tuple[str, ...], depth: int) -> None:
        title = (*path, self._title(node))
        self._start(start, title)
        self._plain = False
        if node.type in self.grammar.containers and depth < DEEPEST and node.end_byte - start > LARGE_CONTAINER:
            body = node.child_by_field_name("body")
            if body is not None:
                self._plain = True
                self.children(body, title, depth + 1)
                self._plain = False

    def _start(self, start: int, title: tuple[str, ...]) -> None:
        line = self.data.rfind(b"\n", 0, start) + 1
        if not self.data[line:start].strip():
            start = line
        if start <= self.starts[-1][0]:
            self.starts[-1] = (self.starts[-1][0], title)
        else:
            self.starts.append((start, title))

    def _blank_line(self, start: int, end: int) -> bool:
        return self.data.count(b"\n", start, end) > 1

    def _definition(self, node: Any, depth: int = 0) -> Any | None:
        """The definition that `node` is or wraps, or None."""
        grammar = self.grammar
        if node.type in grammar.definitions or node.type in grammar.containers:
            if node.type.endswith(("_specifier", "module")) and node.child_by_field_name("body") is None:
                return None
            return node
        if node.type in grammar.wrappers and depth < DEEPEST:
            for child in node.named_children:
                if (inner := self._definition(child, depth + 1)) is not None:
                    return inner
            return None
        if node.type in _ASSIGNMENTS:
            target = node if node.type == "assignment_expression" else next(iter(node.named_children), None)
            value = target and (target.child_by_field_name("value") or target.child_by_field_name("right"))
            return node if value is not None and value.type in _FUNCTION_VALUES else None
        return None

    def _title(self, node: Any) -> str:
        word = self.grammar.definitions.get(node.type, self.grammar.containers.get(node.type, "function"))
        if node.type == "impl_item":
            return clean_title(self._text(node).split("{", 1)[0])
        name = self._name(node)
        receiver = node.child_by_field_name("receiver")
        if receiver is not None:  # Go: func (s *Server[T]) Run() -> Server.Run
            owner = re.findall(r"\w+", self._text(receiver).split("[")[0])
            name = f"{owner[-1]}.{name}" if owner else name
        return clean_title(f"{word} {name}" if word else f"{name}()")

    def _name(self, node: Any) -> str:
        if (name := node.child_by_field_name("name")) is not None:
            return self._text(name)
        if (left := node.child_by_field_name("left")) is not None:
            return self._text(left)
        declarator = node.child_by_field_name("declarator")
        while declarator is not None and (inner := declarator.child_by_field_name("declarator")) is not None:
            declarator = inner
        if declarator is not None:  # C: the innermost declarator; a JavaScript variable: its name
            return self._name(declarator) if declarator.type == "variable_declarator" else self._text(declarator)
        for child in node.named_children:
            if child.child_by_field_name("name") is not None:
                return self._text(child.child_by_field_name("name"))
        return "(unnamed)"

    def _text(self, node: Any) -> str:
        return self.data[node.start_byte : min(node.end_byte, node.start_byte + 400)].decode("utf-8", "replace")


def _characters(data: bytes, offsets: list[int]) -> list[int]:
    """Byte offsets, ascending, as character offsets."""
    if data.isascii():
        return offsets
    characters, last, total = [], 0, 0
    for offset in offsets:
        total += len(data[last:offset].decode("utf-8"))
        characters.append(total)
        last = offset
    return characters
