"""In code a name stands for its value: `retries: int = 4` answers how many retries there are."""

from __future__ import annotations

import re

from engine.answer_type import asks_for_default, asks_for_parent
from engine.spoken_code import PART, alike

_NAME = re.compile(r"[A-Za-z_]\w*")
_LITERAL = r"(-?\d[\d_.]*(?:e-?\d+)?|\"[^\"\n]+\"|'[^'\n]+')"
_CONSTANT = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b")
_GIVEN = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*(?::[^=\n(){}]+)?(?:=|:=)\s*[\"']?$")
_PLAIN = re.compile(r"-?\d[\w.]*|True|False|None|null|nil|true|false|[A-Za-z_]\w*(?:\.\w+)*")
# Before a name that is given its default: the head of a function as far as its parameters, or nothing on its line but such words.
_PARAMETER = re.compile(r"\b(?:def|fn|func|function)\s+\w*\s*\([^)]*$")
_ALONE = re.compile(r"(?:^|\n)\s*(?:(?:const|let|var|final|static|public|private)\s+)*$")
_WORD = re.compile(r"[a-z\d]+")
_HEAD = re.compile(r"\bclass\s+(\w+)\s*\((?:[\w.\[\]]+\s*,\s*)*$")
_BASE = re.compile(r"[A-Za-z_][\w.]*")
_SAID_DEFAULT = re.compile(r"\b[Dd]efaults?(?:[ \t]+(?:value|is|are|to))+[ \t]*[`\"']*$")
# "wick (int, optional): ...", ":param wick: ...", "@param wick ...".
_DOCUMENTED = re.compile(r"(?m)^[ \t]*(?:[:@]param[ \t]+(?:\w+[ \t]+)?)?[`*]*([A-Za-z_]\w*)[`*]*[ \t]*(?:\([^)\n]*\))?[ \t]*:[ \t]")
MARKS = "\"'"
LEAST_NAME = 4


def value_of(name: str, text: str) -> tuple[int, int] | None:
    """Where in `text` the literal stands that a name is given; None where it is no name or gets none."""
    if not _NAME.fullmatch(name):
        return None
    given = re.search(rf"(?<![\w.]){name}\s*(?::[^=\n(){{}}]+)?(?:=|:=|\s=)\s*{_LITERAL}(?![\w.])", text)
    if not given:
        return None
    first, last = given.span(1)
    return (first + 1, last - 1) if text[first] in MARKS else (first, last)


def constants(text: str) -> list[str]:
    """Names of constants in a piece of code, in order."""
    return list(dict.fromkeys(_CONSTANT.findall(text)))


def is_stated(question: str, text: str, start: int, end: int) -> bool:
    """Whether a piece of code says by its form alone that text[start:end] is what is asked for: the default of a name whose words all
    stand in a question about a default, the base of a class that a question about its base names."""
    return _default_asked_for(question, text, start, end) or _parent_asked_for(question, text, start, end)


def in_bases(text: str, start: int) -> bool:
    """Whether what begins at `start` stands among the bases in the head of a class."""
    return _derived(text, start) is not None


def _derived(text: str, start: int) -> str | None:
    """The class in whose head what begins at `start` stands among the bases."""
    head = _HEAD.search(text, text.rfind("\n", 0, start) + 1, start)
    return head[1] if head else None


def is_base(text: str, answer: str) -> bool:
    """Whether a piece of code derives another class from what an answer names."""
    name = _BASE.fullmatch(answer.strip())
    return bool(name and re.search(rf"\bclass\s+\w+\s*\([^)]*\b{re.escape(name[0])}\b", text))


def _parent_asked_for(question: str, text: str, start: int, end: int) -> bool:
    """`class Ember(Lamp)` for "What does Ember inherit from?"."""
    derived = _derived(text, start) if asks_for_parent(question) else None
    return bool(derived and _BASE.fullmatch(text[start:end]) and re.search(rf"\b{derived}\b", question, re.IGNORECASE))


def _default_asked_for(question: str, text: str, start: int, end: int) -> bool:
    """`salt_length: int = 16` for "What is the default salt length?", and what is documented so: `salt_length (int): ... Defaults to 16`."""
    if not asks_for_default(question):
        return False
    begin = text.rfind("\n", 0, start) + 1
    if _SAID_DEFAULT.search(text, begin, start):
        heads = [m[1] for m in _DOCUMENTED.finditer(text, 0, start)]
        return bool(heads) and _all_asked(question, heads[-1])
    given = _GIVEN.search(text, begin, start)
    quoted = text[start - 1 : start] in MARKS and start > 0
    if not given or not (quoted or _PLAIN.fullmatch(text[start:end])):
        return False
    if given[1] in text[start:end].split("."):
        # What is handed on under the same name is no default.
        return False
    if not (_PARAMETER.search(text[: given.start()]) or _ALONE.search(text[: given.start()])):
        return False
    return _all_asked(question, given[1])


def _all_asked(question: str, name: str) -> bool:
    """Whether all words of a name stand in a question."""
    parts = [p for p in map(str.lower, PART.findall(name)) if p != "default"]
    asked = _WORD.findall(question.lower())
    return sum(map(len, parts)) >= LEAST_NAME and all(any(alike(p, w) for w in asked) for p in parts)
