"""What code says of a literal, an exception or a call: its name's parts, comments, conditions and messages, where prose has a sentence.

`SSL_HANDSHAKE_TIMEOUT = 60.0` says "ssl handshake timeout"; `raise TooFewWaves(f"{n} waves, need {most}")` under its `if`
says when it is raised. By line and by pattern, so any language with such forms is read alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from engine.answer_type import asks_for_callable, asks_for_default, asks_for_exception, asks_for_parent

PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_WORD = re.compile(r"\w+")
# They tell nothing apart: what every question asks with, what every exception is called.
_COMMON = frozenset(
    "error exception warning get set has the and for not with what which when where who does how many much default"
    " are was were you your its from into than that this there can may must will".split()
)
LEAST_PART = 3
_DEFINED = re.compile(
    r"(?m)^(?P<indent>[ \t]*)(?:(?:async|pub(?:\([^)]*\))?|export|static|public|private|protected|final|abstract)[ \t]+)*"
    r"(?:def|class|func|fn|function|struct|impl|interface|enum)[ \t]+(?:\([^)]*\)[ \t]*)?(?P<name>[A-Za-z_]\w*)"
)
# What may stand around a value where a name is given it.
_WRAPPED = r"\(?(?:timedelta\(\w+=|Path\(|float\(|int\()?"
_GIVEN = re.compile(rf"([A-Za-z_][\w.]*)[\"']?\s*(?::[^=\n(){{}}]+)?(?:=|:=|:|=>)\s*{_WRAPPED}[\"']?$")
_LITERAL = re.compile(r"[\"'`(]*(?:-?[\d.][\w.]*(?:\s*\*\s*\d+)*|[^\s\"'`]{1,60})[\"'`)]*")
_RAISED = re.compile(r"\b(?:(?:raise|throw(?:[ \t]+new)?|return|panic)\s+|raises\(\s*)(?:\w+\.)*$")
_BASE = re.compile(r"\bclass\s+(\w+)\s*\(\s*(?:[\w.]+\s*,\s*)*(?:\w+\.)*$")
_NAME = re.compile(r"(?:\w+\.)*[A-Za-z_]\w*")
_BEFORE_NAME = re.compile(r"^(?:raise|class|throw new|throw|new)\s+")
_COMMENT = re.compile(r"\s*(?:#|//|/?\*|--)")
_AFTER = re.compile(r"(?:#|//|/\*)(.*)")
_QUOTED = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")
_SENTENCE_END = re.compile(r"\.\s|\n\s*\n|\Z")
_SENTENCE_START = re.compile(r"\.\s|\n\s*\n|\"\"\"|\A")
_VALUES = re.compile(
    rf"(?<![\w.])[A-Za-z_]\w*[\"']?\s*(?::[^=\n(){{}}\"']+)?(?:=|:=|:)\s*{_WRAPPED}"
    r"(?P<one>-?\d[\w.]*(?:\s*\*\s*\d+)*|\"[^\"\n]{1,60}\"|'[^'\n]{1,60}'|True|False|None|[a-z_]\w*(?:\.\w+)+)(?![\w(])"
)
_EXCEPTIONS = re.compile(r"\b(?:(?:raise|throw[ \t]+new|throw|return)\s+|raises\(\s*)(?:\w+\.)*(?P<one>[A-Z]\w*[a-z]\w*)")
_BASES = re.compile(r"\bclass\s+\w+\s*\(\s*(?:\w+\.)*(?P<one>\w+)")
_CALLS = re.compile(r"(?<!def )(?<!class )(?<!\w)(?:\w+\.)*(?P<one>[A-Za-z_]\w{2,})\(")
_STATED = r"\b[Dd]efaults?(?:[ \t]+value)?(?:[ \t]+(?:is|are|to)\b|[ \t]*:)+\s*"
_DEFAULTS = re.compile(
    _STATED + r"(?P<one>``[^`\n]+``|`[^`\n]+`|\"[^\"\n]+\"|'[^'\n]+'|-?\d[\d.,]*(?: ?(?:%|[A-Za-z]+))?|\w[\w./:-]*\w|\w)"
)
_STATED_BEFORE = re.compile(_STATED + r"[`\"']*$")
REACH = 1500
"""Characters before an answer in which what it is defined in is looked for."""
MESSAGE = 200
NEAR_LINES = 3
LONGEST_SENTENCE = 400


def said_share(question: str, text: str, start: int, end: int, title: str, code: bool = True) -> float:
    """How much of the question's wording is said of text[start:end], 0..1, a word by its length: in code 0 where that is neither a
    value that a name is given, nor an exception raised, nor a base class, nor what is called; else where it is not stated as a default."""
    said = _default(text, start, title) or (_said(text, start, end, title) if code else None)
    if said is None:
        return 0.0
    asked, told = _spoken([question]), _spoken(said)
    return sum(len(word) for word in asked if _any_alike(word, told)) / max(1, sum(map(len, asked)))


class Said(NamedTuple):
    """text[start:end] of a piece of code, and how much of a question's wording code says of it, 0..1."""

    share: float
    start: int
    end: int


def said_of(question: str, text: str, title: str, code: bool = True) -> list[Said]:
    """What may answer in a piece of code, that of which it says most of the question first: exceptions where one is asked for, base classes,
    what is called, else the values that names are given; in other text, where a default is asked for, what it states as one."""
    if not code:
        if not asks_for_default(question):
            return []
        pattern = _DEFAULTS
    elif asks_for_parent(question):
        pattern = _BASES
    elif asks_for_exception(question):
        pattern = _EXCEPTIONS
    else:
        pattern = _CALLS if asks_for_callable(question) else _VALUES
    spans = {m.span("one") for m in pattern.finditer(text)}
    bare = {_unquoted(text, a, b) for a, b in spans}
    return sorted((Said(said_share(question, text, a, b, title, code), a, b) for a, b in bare), reverse=True)


def _unquoted(text: str, start: int, end: int) -> tuple[int, int]:
    inner = text[start:end].strip("`\"'")
    at = text.find(inner, start, end)
    return (at, at + len(inner)) if inner else (start, end)


def _default(text: str, start: int, title: str) -> list[str] | None:
    """What is said of a default that is stated ("Default: 120 seconds"): its heading, and the text on its line before it."""
    if not _STATED_BEFORE.search(text[max(0, start - 40) : start]):
        return None
    return [title.rpartition(">")[2], text[text.rfind("\n", 0, start) + 1 : start]]


def _said(text: str, start: int, end: int, title: str) -> list[str] | None:
    before, after = text[max(0, start - REACH) : start], text[end:]
    answer, rest = text[start:end].strip(), after.partition("\n")[0]
    defined, begin = _defined_in(before)
    given = _GIVEN.search(before[-80:])
    if given and _LITERAL.fullmatch(answer):
        name = given[1].rpartition(".")[2]
        comment = _AFTER.search(rest)
        here = [title.rpartition(">")[2], *_comments_above(before), comment[1] if comment else ""]
        return [name, *defined, *here, *_sentences_with(name, before[begin:].partition("\n")[2] + text[start:])]
    name = _BEFORE_NAME.sub("", answer).rstrip("()")
    if not _NAME.fullmatch(name):
        return None
    if name.rpartition(".")[2][:1].isupper():
        if _RAISED.search(before[-40:]) or answer.startswith(("raise ", "throw ")):
            messages = [a or b for a, b in _QUOTED.findall(after[:MESSAGE])]
            return [name, *defined, *before[: before.rfind("\n") + 1].splitlines()[-NEAR_LINES:], *messages]
        base = _BASE.search(before[-80:])
        if base:
            return [base[1], "base class inherit inherits subclass extends derives parent"]
    return [name, *defined] if rest.startswith("(") else None


def _defined_in(before: str) -> tuple[list[str], int]:
    """Names of the function or class whose text goes on, and of the one around it; where the inner one begins."""
    heads = list(_DEFINED.finditer(before))
    if not heads:
        return [], len(before)
    inner = heads[-1]
    outer = next((h for h in reversed(heads[:-1]) if len(h["indent"]) < len(inner["indent"])), None)
    return [inner["name"], *([outer["name"]] if outer else [])], inner.start()


def _comments_above(before: str) -> list[str]:
    comments = []
    for line in reversed(before[: before.rfind("\n") + 1].splitlines()[-NEAR_LINES - 1 :]):
        if not _COMMENT.match(line):
            break
        comments.append(line)
    return comments


def _sentences_with(name: str, text: str) -> list[str]:
    """Sentences of comments and docstrings that speak of a name."""
    sentences = []
    for found in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
        end = _SENTENCE_END.search(text, found.end())
        starts = [m.end() for m in _SENTENCE_START.finditer(text, max(0, found.start() - LONGEST_SENTENCE), found.start())]
        sentence = text[starts[-1] if starts else 0 : end.start() if end else len(text)]
        if len(sentence) < LONGEST_SENTENCE and sentence.count("=") < 2:
            sentences.append(sentence)
    return sentences


def _spoken(texts: Iterable[str]) -> set[str]:
    """The words of texts, names taken apart, common ones left out."""
    parts = {p.lower() for text in texts for word in _WORD.findall(text) for p in PART.findall(word)}
    return {p for p in parts if len(p) >= LEAST_PART} - _COMMON


def _any_alike(word: str, others: Iterable[str]) -> bool:
    return any(alike(word, other) for other in others)


def alike(one: str, other: str) -> bool:
    """The same word, or one the beginning of the other (max, maximum), or both but for their endings (delivery, deliveries)."""
    least = min(len(one), len(other))
    if one == other or (least >= LEAST_PART and (one.startswith(other) or other.startswith(one))):
        return True
    stem = max(4, least - 2)
    return least >= 4 and one[:stem] == other[:stem]
