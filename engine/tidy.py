"""Where an answer begins and ends in its text: whole words, numbers and dates, no half pairs of marks."""

from __future__ import annotations

import re

from engine.answer_type import MONTH

_STEP = r"[\w.+~%@<>-]*[\w~>]"
_PATH = "|".join((
    r"\b(?:application|audio|font|image|message|multipart|text|video)/[\w.+-]*\w",
    r"\w+://[^\s<>\"')\]]*[\w/]",
    rf"(?<![\w/.~])(?:~|\.\.?)?(?:/{_STEP})+/?",
    rf"\w[\w.+-]*(?:/{_STEP}){{2,}}/?",
    r"\w[\w+-]*/[\w+-]+\.\w+",
))  # fmt: skip
# What is one thing although it is not one word: paths; numbers with points, times; identifiers of three parts and more; options.
_WHOLE = re.compile(_PATH + r"|(?=[\w-]*\d)\w+(?:-\w+){2,}|\d+(?:[.,:]\d+)+|(?<![\w-])--?[A-Za-z][\w-]*|\w+")
# A qualified name may be pointed at from its last part on, but does not end before that.
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[a-z_0-9]\w*)+")
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = re.compile(rf"\b(?:{_DAY}\s{MONTH}(?:,?\s\d{{4}})?|{MONTH}\s{_DAY}(?:,?\s\d{{4}})?)\b")
_OF_DATE = re.compile(rf"\d.*\b{MONTH}\b|\b{MONTH}\b.*\d", re.DOTALL)
LONGEST_DATE = 24
_COIN = r"(?:[£$€¥₹]|\b(?:EUR|USD|GBP|CHF|NOK|SEK|DKK|AUD|CAD)\b)"
_COIN_BEFORE, _COIN_AFTER = re.compile(rf"{_COIN}\s?$"), re.compile(rf"\s?(?:{_COIN}|%)")
LONGEST_COIN = 5
# "Room 5 ........ 4.2 kg": what the dots lead to is said of what stands before them.
_LEADER = re.compile(r".*\.{4,}\s*(?=\S)", re.DOTALL)
_ROLE = re.compile(r":[\w:-]+:`[~!]?([^`<\n]+)`")
_MARKS = re.compile(r"`+|\*\*+|\"")
_BRACKETS = ("()", "[]", "{}")


def tidy(text: str, start: int, end: int) -> tuple[int, int]:
    """[start, end) grown so that nothing is cut that is one, then without the half of a pair of marks at its ends; what only says the
    sort of a word in reStructuredText (":meth:`~Lamp.trim`") gives way to the word."""
    role = _ROLE.match(text, text.rfind(":", 0, start)) if text[end : end + 2] == ":`" else None
    if role:
        return role.span(1)
    leader = _LEADER.match(text, start, end)
    a, b = _trimmed(text, *_whole(text, leader.end() if leader else start, end))
    return _with_coin(text, a, b) if a < b else (start, end)


def _with_coin(text: str, start: int, end: int) -> tuple[int, int]:
    """A sum with its currency, a share with its sign."""
    before = _COIN_BEFORE.search(text, max(0, start - LONGEST_COIN), start) if text[start].isdigit() else None
    after = _COIN_AFTER.match(text, end) if text[end - 1].isdigit() and not before else None
    return before.start() if before else start, after.end() if after else end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without blanks, separators, brackets and quotation marks at the ends that have no partner inside."""
    before = (-1, -1)
    while start < end and before != (start, end):
        before = start, end
        answer = text[start:end]
        start += len(answer) - len(answer.lstrip(" \t\r\n,;:"))
        end -= len(answer) - len(answer.rstrip(" \t\r\n,;:"))
        answer = text[start:end]
        for opening, closing in _BRACKETS:
            spare = answer.count(closing) - answer.count(opening)
            end -= spare > 0 and answer.endswith(closing)
            start += spare < 0 and answer.startswith(opening)
            if spare < 0 and closing not in answer and not answer.startswith(opening):
                # What follows was cut off: "Ember(Lamp" of "class Ember(Lamp, Coal)".
                end = start + answer.index(opening)
        marks = list(_MARKS.finditer(text, start, end))
        alike = [m for m in marks if m.group() == marks[0].group()]
        if len(alike) % 2 == 0:
            continue
        lonely = alike[-1] if alike[-1].end() == end or len(alike) > 1 else alike[0]
        # Text goes on after a closing mark: what stands before it was meant. An opening one is left out.
        if lonely.start() > start and not text[lonely.start() - 1].isspace():
            end = lonely.start()
        elif lonely.start() == start:
            start = lonely.end()
        elif lonely.end() == end:
            end = lonely.start()
    return start, end


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    left = max(text.rfind(blank, 0, start) for blank in " \n\t") + 1
    right = min((at for blank in " \n\t" if (at := text.find(blank, end)) >= 0), default=len(text))
    for found in _WHOLE.finditer(text, left, right):
        if found.start() < start < found.end():
            start = found.start()
        if found.start() < end < found.end():
            end = found.end()
    for found in _DOTTED.finditer(text, left, right):
        if found.start() < end < found.end():
            end = found.end()
    for found in _DATE.finditer(text, max(0, start - LONGEST_DATE), end + LONGEST_DATE):
        # A year or a month alone may be what was asked for; a day and its month want their year.
        if _OF_DATE.search(text, max(start, found.start()), min(end, found.end())):
            start, end = min(start, found.start()), max(end, found.end())
    return start, end
