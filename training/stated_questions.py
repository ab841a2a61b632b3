"""Questions over sentences that state one thing: the sentence is turned round, what it states is the answer."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

Sample = dict[str, Any]

SENTENCE = re.compile(r"[^\n.!?]+(?:[.](?=\S)[^\n.!?]+)*[.!?](?=\s|$)")
UNIT = r"(?P<unit>[a-z]{2,13}s)"
AMOUNT = r"(?P<answer>(?:\d[\d,.]*\d|\d)(?: (?:million|billion|thousand))?)"
SUBJECT = r"(?P<subject>(?:The|A|An|Each|Every|All|Any|No|Most|Some)? ?[^,;:()\"]{3,70}?)"
MODAL = r"(?P<modal>can|may|must|should|shall|will|could)"
BOUND = r"(?:up to|at least|at most|no more than|no less than|a maximum of|a minimum of|about|more than|less than|exactly) "
ACTS = "founded|established|built|opened|published|released|discovered|invented|written|directed|designed|developed|created"
ACTS += "|introduced|completed|appointed|elected|awarded|destroyed|launched|adopted|signed|recorded|acquired"
WHEN = r"(?P<answer>(?:\d{1,2} )?(?:January|February|March|April|May|June|July|August|September|October|November|December)"
WHEN += r"(?: \d{1,2},)? \d{4}|[12]\d{3})"
PERSON = r"(?P<answer>(?:[A-Z][\w.'-]+)(?: (?:[A-Z][\w.'-]+|of|de|van|von|and))*(?: [A-Z][\w'-]+))"
CODE = r"(?P<answer>`[^`\n]{1,40}`|[A-Z0-9][\w.-]{0,20}|\d[\w.,%-]*(?: [a-z]+)?)"

PATTERNS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), questions)
    for pattern, questions in (
        (
            rf"^{SUBJECT} {MODAL} (?P<act>[a-z]+[^,;:]{{0,60}}?) {BOUND}{AMOUNT} {UNIT}\b",
            ("How many {unit} {modal} {subject} {act}?", "What number of {unit} {modal} {subject} {act}?"),
        ),
        (
            rf"^{SUBJECT} (?P<act>has|have|had|contains?|consists? of|requires?|takes?|lasts?) (?:{BOUND})?{AMOUNT} {UNIT}\b",
            ("How many {unit} does {subject} {root}?", "{subject}: how many {unit}?"),
        ),
        (
            rf"^{SUBJECT} (?P<be>is|are|was|were) (?:also |often |usually |commonly |now )?(?:called|known as|termed|named) "
            r"(?:an? |the )?(?P<answer>(?!what |either |twice |once |after )[\w`'-]{4,}(?: [\w`'-]{4,}){0,2})(?=[,.;]| and| or| because| which|$)",
            ("What {be} {subject} called?", "What is the name for {subject}?", "How {be} {subject} known?"),
        ),
        (
            rf"\b(?:[Tt]he )?(?P<subject>[^,;:()\"]{{3,50}}?) defaults? to {CODE}(?=[,.; ]|$)",
            ("What does {subject} default to?", "What is the default value of {subject}?", "Which {subject} is used by default?"),
        ),
        (
            rf"\bdefault(?: value)? (?:of|for) (?P<subject>[^,;:()\"]{{3,50}}?) is {CODE}(?=[,.; ]|$)",
            ("What is the default of {subject}?", "What does {subject} default to?"),
        ),
        (
            rf"^{SUBJECT} (?P<be>was|were) (?:first |originally |finally )?(?P<act>{ACTS})\b[^.;]{{0,60}}? (?:in|on) {WHEN}\b",
            ("When {be} {subject} {act}?", "In what year {be} {subject} {act}?", "What is the date {subject} {be} {act}?"),
        ),
        (
            rf"^{SUBJECT} (?P<be>was|were|is|are) (?:first |originally |jointly )?(?P<act>{ACTS})\b[^.;]{{0,40}}? by (?:the )?{PERSON}",
            ("Who {act} {subject}?", "By whom {be} {subject} {act}?", "{subject} {be} {act} by whom?"),
        ),
        (
            rf"^{SUBJECT} (?P<be>is|was) (?:located|situated|based|held|born|headquartered) (?:in|at|near) {PERSON}",
            ("Where {be} {subject}?", "Where can {subject} be found?"),
        ),
    )
)
NO_SUBJECT = re.compile(
    r"^(?:[^\w`\"]|\d|(?:If|On|In|At|We|You|I|Together|Although|When|While|By|After|Before|As|But|And|Or|So|For|With|Their|Our|Your|There|What|They|These|This|That|Such|Its|His|Her|Because|Join|Beware|Due)\b)"
    r"|\b(?:continues?|will|would|so|does|which|that|it|we|you|if|but|not|have|had|is|are|was|were|be)$|\bnot\b"
)
PRONOUN = re.compile(r"^(?:It|He|She)\b|^(?:The|This) (?:book|film|song|album|company|band|city|town|building)$")
ROOTS = {"has": "have", "had": "have", "contains": "contain", "consists of": "consist of", "requires": "require"}
ROOTS |= {"takes": "take", "lasts": "last"}
AROUND = 700


def stated_samples(records: Iterable[dict[str, Any]], wanted: int, rng: random.Random) -> list[Sample]:
    """At most three questions a record; other paragraphs of the record that lack the answer are the negatives."""
    found = (sample for record in records for sample in islice(_of_record(record, rng), 3))
    return list(islice(found, wanted))


def _of_record(record: dict[str, Any], rng: random.Random) -> Iterator[Sample]:
    text = record["text"]
    sentences = [m for m in SENTENCE.finditer(text) if 30 < len(m.group()) < 300]
    rng.shuffle(sentences)
    for sentence in sentences[:200]:
        stated = _turned_round(sentence.group().lstrip(), record["title"], rng)
        if stated is None:
            continue
        question, answer, offset = stated
        at = sentence.start() + len(sentence.group()) - len(sentence.group().lstrip()) + offset
        begin = max(0, text.rfind("\n", 0, max(1, at - rng.randrange(AROUND))) + 1)
        begin = begin if at - begin < AROUND else sentence.start()
        window = text[begin : begin + AROUND + 200]
        others = [p for p in text.split("\n") if 150 < len(p) < 900 and answer not in p]
        gold = {"title": record["title"], "text": window, "spans": [[at - begin, at - begin + len(answer)]]}
        negatives = [{"title": record["title"], "text": p} for p in rng.sample(others, min(2, len(others)))]
        yield {"set": "stated", "question": question, "kind": "span", "golds": [gold], "negatives": negatives}


def _turned_round(sentence: str, title: str, rng: random.Random) -> tuple[str, str, int] | None:
    """(question, answer, offset of the answer in the sentence), or None where the sentence states nothing we know."""
    for pattern, questions in PATTERNS:
        match = pattern.search(sentence)
        if match is None:
            continue
        parts = match.groupdict()
        subject = parts["subject"].strip()
        if NO_SUBJECT.search(subject):
            return None
        if PRONOUN.match(subject):
            # "It was founded ...": asked of what the text is about, where that is a name.
            if not 0 < len(title) <= 40 or not questions[0].startswith(("When", "Who", "Where")):
                return None
            subject = re.sub(r"\s*\(.*", "", title.split("/")[-1])
        elif subject.split()[0] in ("The", "A", "An", "Each", "Every", "All", "Any", "Most", "Some"):
            subject = subject[0].lower() + subject[1:]
        if len(subject) < 3 or len(subject.split()) > 10:
            return None
        act = parts.get("act") or ""
        question = rng.choice(questions).format(**{**parts, "subject": subject, "act": act, "root": ROOTS.get(act, act)})
        answer, offset = match.group("answer"), match.start("answer")
        if answer.startswith("`"):
            answer, offset = answer.strip("`"), offset + 1
        return question[0].upper() + question[1:], answer, offset
    return None
