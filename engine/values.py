"""Dates and numbers as they are written, as values that compare."""

from __future__ import annotations

import re

Value = tuple[float, ...]

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_MONTH = "|".join(MONTHS)
_YEAR = r"(?P<year>\d{3,4})(?![\d,]\d)(?P<era>\s?(?:BC|BCE)\b)?"
_DATES = (
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH}),?\s+{_YEAR}", re.IGNORECASE),
    re.compile(rf"\b(?P<month>{_MONTH})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR}", re.IGNORECASE),
    re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b"),
    re.compile(rf"\b(?P<month>{_MONTH}),?\s+{_YEAR}", re.IGNORECASE),
    re.compile(rf"\b{_YEAR}\b", re.IGNORECASE),
)
_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBER = re.compile(
    r"(?P<digits>\d+(?:,\d{3})*(?:\.\d+)?)(?:\s*(?P<scale>thousand|million|billion|trillion)\b)?(?:[\s-]?(?P<unit>ft|feet|foot|miles?|mi|km"
    rf"|kilomet(?:re|er)s?)\b)?|\b(?P<tens>{'|'.join(_TENS)})(?:[- ](?P<ones>{'|'.join(_WORDS[1:10])}))?\b|\b(?P<word>{'|'.join(_WORDS)})\b",
    re.IGNORECASE,
)
_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_METRES = {"f": 0.3048, "m": 1609.344, "k": 1000.0}
"""By the first letter of a unit; metres and what is counted are taken as they are."""
_YEAR_ALONE = re.compile(r"(?:1[0-9]|20)\d\d")


def date(text: str) -> Value | None:
    """The first date in a text as (year, month, day), shorter where it says less; years before Christ are negative."""
    found = [(m.start(), n, m) for n, pattern in enumerate(_DATES) for m in pattern.finditer(text)]
    if not found:
        return None
    # Of two that begin alike or overlap, the pattern that says more stands first.
    parts = min(found, key=lambda f: (f[1] > 2, f[0], f[1]))[2].groupdict()
    year = float(parts["year"]) * (-1 if parts.get("era") else 1)
    month = parts.get("month")
    number = MONTHS.index(month.lower()) + 1 if month and month.lower() in MONTHS else month
    return (year, *(float(x) for x in (number, parts.get("day")) if x))


def number(text: str) -> Value | None:
    """The first number in a text, in digits or (to 99) in words, lengths in metres; what looks like a year is none."""
    for found in _NUMBER.finditer(text):
        if found["word"]:
            return (float(_WORDS.index(found["word"].lower())),)
        if found["tens"]:
            ones = _WORDS.index((found["ones"] or "zero").lower())
            return (float(20 + 10 * _TENS.index(found["tens"].lower()) + ones),)
        if not _YEAR_ALONE.fullmatch(found[0]):
            metres = _METRES[found["unit"][0].lower()] if found["unit"] else 1.0
            return (float(found["digits"].replace(",", "")) * _SCALES.get((found["scale"] or "").lower(), 1.0) * metres,)
    return None


def order(a: Value, b: Value) -> int:
    """-1 where `a` is less (earlier), 1 where it is more, 0 where what both say does not tell."""
    shared = min(len(a), len(b))
    return (a[:shared] > b[:shared]) - (a[:shared] < b[:shared])
