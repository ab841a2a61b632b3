"""Questions over code in any language, read off what programmers write beside it.

Comments after values, documented parameters, exceptions and functions, messages of errors, environment variables, what
tests expect. Asked from what is said to the name or value, or from the name to what is said of it; in one question of
six the lines that tell are taken out of the text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from training.listed_questions import shortened

Sample = dict[str, Any]

VALUE = r"-?\d[\d._]*\w{0,2}|\"[^\"\n]{1,30}\"|'[^'\n]{1,30}'|[Tt]rue|[Ff]alse"
SAID = r"[A-Za-z][^\n]{14,100}"
ENV = r"(?:os\.environ(?:\.get)?[\[(]|[gG]etenv\(|ENV\[|ENV\.fetch\(|process\.env\.|env::var\()\s*[\"']?"
COMMENT = r"(?://|#|--|/\*+)"
BEFORE = r"(?:[ \t]*(?:\*|#|///)[^\n]*\n)*?"


@dataclass(frozen=True)
class Rule:
    """A pattern with a group `name` and, if anything is said, `said`; `value` where there is one. Wordings by the
    group they ask for; `acts` where `said` must begin with a verb."""

    pattern: re.Pattern[str]
    asks: dict[str, tuple[str, ...]]
    acts: bool = False


FUNCTION = {
    "name": ("Which function {said}?", "What is the name of the function that {said}?", "Which method {said}?"),
    "said": ("What does {name} do?", "What is {name} for?", "What happens in {name}?"),
}
PARAMETER = {
    "name": ("Which parameter is {said}?", "Which argument stands for {said}?", "What is the parameter called that is {said}?"),
    "said": ("What is the parameter {name}?", "What does the argument {name} mean?", "What must be passed as {name}?"),
}
RAISED = {"name": ("Which exception is raised when {said}?", "What is thrown if {said}?", "What happens when {said}: which error?")}
MESSAGE = {"name": ("Which exception is raised when {wrong}?", "What is thrown if {wrong}?", "Which error says that {said}?")}
RULES = tuple(
    Rule(re.compile(pattern, re.M), asks, acts)
    for pattern, asks, acts in (
        (
            rf"^[^\n#/]*?(?P<name>[A-Za-z_]\w{{2,}})[ \t]*(?:::?[ \t]*[\w\[\]., |]+)?[ \t]*(?::?=|:|=>)[ \t]*"
            rf"(?P<value>{VALUE})[,;]?[ \t]*{COMMENT}[ \t]*(?P<said>{SAID})",
            {
                "value": ("What is the {said}?", "Which value stands for {said}?", "{said}: how much is it?",
                          "What is {name} set to?", "What value does {name} have?"),
                "name": ("Which setting is the {said}?", "What is the name of the setting for {said}?"),
            },
            False,
        ),
        (
            rf"^#define[ \t]+(?P<name>\w+)[ \t]+(?P<value>\d\w*)[ \t]+/\*+[ \t]*(?P<said>{SAID})",
            {
                "value": ("What is the {said}?", "How large is {name}?", "Which number stands for {said}?"),
                "name": ("Which constant is the {said}?", "Which macro stands for {said}?"),
            },
            False,
        ),
        (rf"(?:@param|:param)[ \t]+(?:\w+[ \t]+)??(?P<name>[a-z_]\w+):?[ \t]+(?:-[ \t]*)?(?P<said>{SAID})", PARAMETER, False),
        (rf"(?:@throws|@exception|:raises)[ \t]+(?P<name>\w+):?[ \t]+(?:[Ii]f|[Ww]hen)[ \t]+(?P<said>{SAID})", RAISED, False),
        (rf"\bthrow new (?P<name>\w+)\(\s*\"(?P<said>{SAID})", MESSAGE, False),
        (rf"^[ \t]*raise (?P<name>[A-Z][\w:]*)(?:,[ \t]*|\.new\(|\()[frb]?[\"'](?P<said>{SAID})", MESSAGE, False),
        (rf"^class (?P<name>\w+(?:Error|Exception|Warning))\b[^\n]*:\n\s+\"\"\"(?:Raised|Thrown) (?:if|when) (?P<said>{SAID})", RAISED, False),
        (rf"^// (?P<name>[A-Z]\w+) (?P<said>[a-z]+s {SAID})\n(?://[^\n]*\n)*func ", FUNCTION, True),
        (
            rf"^[ \t]*(?:\*|#|///) (?P<said>[A-Z][a-z]+s {SAID})\n{BEFORE}(?:[ \t]*\*/\n)?(?:[ \t]*[@#][^\n]*\n)*"
            r"[ \t]*(?:public|private|protected|static|pub|async|final|const|unsafe| )*"
            r"(?:def |fn |(?!assert|return|else|new )[\w<>\[\]]+ )(?P<name>\w+)[?!]?\(",
            FUNCTION,
            True,
        ),
        (rf"^[ \t]*def (?P<name>\w+)\([^\n]*\n\s+[rbu]?\"\"\"(?P<said>[A-Z][a-z]+s {SAID})", FUNCTION, True),
        (
            rf"(?P<name>[A-Za-z_]\w{{2,}})[ \t]*(?::?=|:|=>|\()[^\n=]{{0,40}}?{ENV}(?P<value>[A-Z][A-Z0-9_]{{3,}})",
            {
                "value": ("Which environment variable sets {spoken}?", "From which environment variable is {name} read?",
                          "Which variable of the environment holds {spoken}?", "What do I set in the environment to change {spoken}?"),
            },
            False,
        ),
        (
            rf"assert(?:_equal|Equals|Equal|_eq!)?[ (]\s*(?P<value>{VALUE}),[ \t]*(?P<name>[\w.:]+\([^\n;()]{{0,40}}\))",
            {"value": ("What does the test expect of {name}?", "What should {name} give?", "To what must {name} be equal?")},
            False,
        ),
        (
            rf"assert(?:_equal|Equals|Equal|_eq!)?[ (]\s*(?P<name>[\w.:]+\([^\n;()]{{0,40}}\))(?:,| ==)[ \t]*(?P<value>{VALUE})",
            {"value": ("What does the test expect of {name}?", "What does {name} give in the test?", "What must {name} return?")},
            False,
        ),
    )
)  # fmt: skip
LONGEST = 900
# Words that end like a verb.
NO_ACT = re.compile(r"(?:This|Its|Is|Has|Was|Does|As|Unless|Always|Yes|Across|Plus|Thus|[A-Z][a-z]*ss)\b")
DEMANDS = ((r"\b(?:must not|cannot|can't|should not|shouldn't|may not) be\b", "is"), (r"\b(?:must|should|has to|needs to) be\b", "is not"),
           (r"\b(?:must not|cannot|should not) ", "would "), (r"\bmust have\b", "has no"))  # fmt: skip


def commented_samples(records: Iterable[dict[str, Any]], wanted: int, rng: random.Random) -> list[Sample]:
    """At most five questions a file, of different rules where it has several."""
    found = (sample for record in records for sample in islice(_of_file(record, rng), 5))
    return list(islice(found, wanted))


def _of_file(record: dict[str, Any], rng: random.Random) -> Iterator[Sample]:
    text = record["text"][:60_000]
    for rule in rng.sample(RULES, len(RULES)):
        matches = [m for m in rule.pattern.finditer(text) if m.group().isascii()]
        for match in rng.sample(matches, min(2, len(matches))):
            if sample := _sample(record["title"], text, rule, match, rng):
                yield sample


def _sample(title: str, text: str, rule: Rule, match: re.Match[str], rng: random.Random) -> Sample | None:
    parts = match.groupdict()
    said = _cleaned(parts.get("said") or "")
    if "said" in parts and (len(said.split()) < 3 or (rule.acts and NO_ACT.match(said[0].upper() + said[1:]))):
        return None
    if rule.acts and parts["name"] in ("It", "This", "If", "The", "We", "TODO"):
        return None
    asked = rng.choice([group for group in rule.asks for _ in rule.asks[group]])
    name = parts["name"]
    # What names the answer must not tell it.
    if asked == "name" and name.lower() in said.lower():
        return None
    spoken = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).strip().lower()
    short = shortened(said, rng) if said else ""
    question = rng.choice(rule.asks[asked]).format(
        said=short, wrong=_broken(short), name=name if rng.random() < 0.7 else spoken, spoken=rng.choice((name, f"the {spoken}"))
    )
    begin, stop = _window(text, match, rng)
    if stop - begin > LONGEST:
        return None
    question = question[0].upper() + question[1:]
    sample = {"set": "code", "question": question, "kind": "null", "golds": [], "negatives": []}
    if rng.random() < 1 / 6:
        first, last = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end() - 1)
        rest = text[begin:first] + (text[last + 1 : stop] if last >= 0 else "")
        known = name if asked == "name" else parts[asked]
        return {**sample, "negatives": [{"title": title, "text": rest}]} if len(rest) > 80 and known not in rest else None
    answer = said if asked == "said" else parts[asked]
    at = match.start(asked) + match.group(asked).find(answer)
    if at < match.start(asked):
        return None
    if answer[0] in "\"'" and len(answer) > 2:
        at, answer = at + 1, answer[1:-1]
    gold = {"title": title, "text": text[begin:stop], "spans": [[at - begin, at - begin + len(answer)]]}
    return {**sample, "kind": "span", "golds": [gold]}


def _window(text: str, match: re.Match[str], rng: random.Random) -> tuple[int, int]:
    """Whole lines around the match, of random number on either side."""
    begin, stop = text.rfind("\n", 0, match.start()) + 1, match.end()
    for _ in range(rng.randrange(1, 14)):
        further = text.rfind("\n", 0, max(0, begin - 1)) + 1
        if stop - further < LONGEST * 0.7:
            begin = further
    for _ in range(rng.randrange(1, 14)):
        further = text.find("\n", stop + 1)
        if 0 <= further and further - begin < LONGEST:
            stop = further
    return begin, stop


def _broken(demand: str) -> str:
    """What a message demands, as it is when the demand is not met."""
    for pattern, turned in DEMANDS:
        if re.search(pattern, demand):
            return re.sub(pattern, turned, demand, count=1)
    return demand


def _cleaned(said: str) -> str:
    """A comment without what closes it, to the end of its first sentence."""
    said = re.split(r"\*/|\"\"\"|\\n|\"[,) ]|'[,) ]|[.;](?:\s|$)|\"$|'$", said)[0]
    said = " ".join(said.split()).rstrip(" .,:;!-(")
    return said if not re.search(r"%[sdr]|[{}<>=]|https?:|TODO|pylint|noqa|nolint|eslint", said) else ""
