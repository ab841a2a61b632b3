"""Yes/no questions over sentences that say whether something is so: the auxiliary comes first, a denial means no.

"Visitors may not feed the goats." -> "May visitors feed the goats?", no; "You must renew ..." -> "Do I have to renew ...?", yes. What is
affirmed becomes a no by another number, opposite or name in the question, or by a *not* in the text; a text without the
sentence does not say.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from training.stated_questions import NO_SUBJECT, SENTENCE

Sample = dict[str, Any]

LABELS = ("unsaid", "yes", "no")
DENIAL = r"(?P<denied> not| never| no longer|n't)?"
REST = r" (?P<rest>[^;:()\"]{8,150})[.!]$"
SUBJECT = r"^(?P<subject>[^,;:()\"]{3,70}?)"
STATES = re.compile(SUBJECT + r" (?P<aux>is|are|was|were|can|may|must|should|will|could|has|have)" + DENIAL + r"(?= )" + REST)
CANNOT = re.compile(SUBJECT + r" (?P<aux>can)(?P<denied>not|'t)" + REST)
DOES = re.compile(SUBJECT + r" (?P<aux>does|do|did)(?P<denied> not|n't)" + REST)
VERBS = {
    "supports": "support", "contains": "contain", "uses": "use", "requires": "require", "includes": "include", "provides": "provide",
    "allows": "allow", "returns": "return", "needs": "need", "takes": "take", "accepts": "accept", "makes": "make", "lives": "live",
    "works": "work", "runs": "run", "depends": "depend", "starts": "start", "creates": "create", "covers": "cover", "affects": "affect",
    "belongs": "belong", "causes": "cause", "occurs": "occur", "applies": "apply", "produces": "produce", "costs": "cost",
}  # fmt: skip
VERB = re.compile(SUBJECT + rf" (?P<verb>{'|'.join(VERBS)})\b" + REST)
YOU = re.compile(
    r"^You (?P<says>must not|must|should not|should|can not|cannot|can|may not|may|do not need to|don't need to|do not have to|need to|have to)" + REST
)
ASKED_OF_YOU = {
    "must": ("Do I have to", "Must I", "Am I required to", "Do I need to"), "must not": ("May I", "Can I", "Am I allowed to"),
    "should": ("Should I", "Is it advisable to"), "should not": ("Should I", "Is it a good idea to"),
    "can": ("Can I", "Is it possible to", "Am I able to"), "may": ("May I", "Am I allowed to", "Can I"),
    "can not": ("Can I", "Is it possible to"), "cannot": ("Can I", "Is it possible to", "Am I able to"), "may not": ("May I", "Am I allowed to"),
    "do not need to": ("Do I need to", "Do I have to", "Must I"), "don't need to": ("Do I need to", "Do I have to"),
    "do not have to": ("Do I have to", "Must I"), "need to": ("Do I need to", "Do I have to"), "have to": ("Do I have to", "Must I"),
}  # fmt: skip
MINE = (("you are", "I am"), ("yourself", "myself"), ("yours", "mine"), ("your", "my"), ("you", "I"))
OPPOSITES = (
    "before/after", "first/last", "more/less", "most/least", "open/closed", "inside/outside", "with/without", "above/below", "high/low",
    "higher/lower", "large/small", "larger/smaller", "largest/smallest", "always/never", "public/private", "required/optional", "north/south",
    "northern/southern", "east/west", "eastern/western", "early/late", "earlier/later", "start/end", "increase/decrease", "same/different",
    "old/new", "true/false", "enabled/disabled", "allowed/forbidden", "input/output", "left/right", "hot/cold", "male/female", "positive/negative",
    "maximum/minimum", "longer/shorter", "long/short", "strong/weak", "client/server", "read/write", "add/remove", "summer/winter", "internal/external",
    "upper/lower", "legal/illegal", "possible/impossible", "common/rare", "free/paid", "safe/dangerous", "war/peace", "day/night", "husband/wife",
)  # fmt: skip
OPPOSITE = {a: b for pair in OPPOSITES for a, b in (pair.split("/"), pair.split("/")[::-1])}
NUMBER = re.compile(r"\b\d[\d,.]*\b")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]+(?: (?:[A-Z][\w'-]+))*")
WORD = re.compile(r"[a-z]+")
DANGLING = re.compile(r"\b(?:this|these|those|it|they|he|she|his|her|its|their|such|former|latter|above|below|following)\b", re.IGNORECASE)
DETERMINERS = ("the", "a", "an", "each", "every", "all", "any", "most", "some", "both", "many", "several", "these", "this", "users", "members")
AROUND = 420
UNSAID, FLIPPED, CHANGED = 0.2, 0.25, 0.5


def judged_samples(records: Iterable[dict[str, Any]], wanted: int, rng: random.Random) -> list[Sample]:
    """At most six questions a record, as many answered by no as by yes."""
    found = (sample for record in records for sample in islice(_of_record(record, rng), 6))
    kept: list[Sample] = []
    count = dict.fromkeys(LABELS, 0)
    for sample in found:
        label = sample["kind"]
        if label != "unsaid" and count[label] > 50 and count[label] > 1.1 * min(count["yes"], count["no"]):
            continue
        count[label] += 1
        kept.append(sample)
        if len(kept) == wanted:
            break
    return kept


def _of_record(record: dict[str, Any], rng: random.Random) -> Iterator[Sample]:
    text = record["text"]
    sentences = [m for m in SENTENCE.finditer(text) if 30 < len(m.group().strip()) < 220]
    rng.shuffle(sentences)
    for found in sentences[:150]:
        sentence = found.group().strip()
        asked = _turned(sentence, rng)
        if asked is None:
            continue
        question, yes = asked
        at = found.start() + len(found.group()) - len(found.group().lstrip())
        before, after = rng.randrange(AROUND), rng.randrange(AROUND)
        begin = text.find(" ", max(0, at - before)) + 1 if at > before else 0
        begin = min(begin, at)
        end = text.rfind(" ", at + len(sentence), at + len(sentence) + after)
        end = at + len(sentence) if end < 0 else end
        said, label = sentence, yes
        draw = rng.random()
        if draw < UNSAID:
            said, label = "", None
        elif draw < UNSAID + FLIPPED:
            turned = _denied(sentence)
            said, label = (turned, not yes) if turned else (sentence, yes)
        elif yes and rng.random() < CHANGED:
            changed = _changed(question, text, rng)
            question, label = (changed, False) if changed else (question, yes)
        passage = (text[begin:at] + said + text[at + len(sentence) : end]).strip()
        if len(passage) < 60:
            continue
        kind = "unsaid" if label is None else "yes" if label else "no"
        yield {"set": "judged", "question": question, "kind": kind, "golds": [{"title": record["title"], "text": passage}], "negatives": []}


def _turned(sentence: str, rng: random.Random) -> tuple[str, bool] | None:
    """(question, whether the sentence says yes), or None where it is not of a kind we know."""
    if you := YOU.match(sentence):
        rest = _shortened(you["rest"], rng)
        for a, b in MINE:
            rest = re.sub(rf"\b{a}\b", b, rest)
        denied = "not" in you["says"] or "n't" in you["says"]
        return (f"{rng.choice(ASKED_OF_YOU[you['says']])} {rest}?", not denied) if _plain(rest) else None
    if verb := VERB.match(sentence):
        subject, rest = _subject(verb["subject"]), _shortened(verb["rest"], rng)
        return (f"Does {subject} {VERBS[verb['verb']]} {rest}?", True) if subject and _plain(rest) else None
    found = DOES.match(sentence) or CANNOT.match(sentence) or STATES.match(sentence)
    if not found:
        return None
    subject, rest, denied = _subject(found["subject"]), _shortened(found["rest"], rng), bool(found["denied"])
    if not subject or not _plain(rest) or found["aux"] in ("has", "have") and not re.match(r"(?:been|become|had|made|\w+ed)\b", rest):
        return None
    aux = rng.choice(("may", "can")) if denied and found["aux"] == "must" else found["aux"]
    return f"{aux.capitalize()} {subject} {rest}?", not denied


def _subject(subject: str) -> str | None:
    """A subject as it stands in a question; None where it points elsewhere or is none."""
    subject = subject.strip()
    words = subject.split()
    if not words or len(words) > 9 or NO_SUBJECT.search(subject) or DANGLING.search(subject) or re.search(r"\b(?:no|not|never|nor)\b", subject, re.IGNORECASE):
        return None
    return subject[0].lower() + subject[1:] if words[0].lower() in DETERMINERS else subject


def _shortened(rest: str, rng: random.Random) -> str:
    """Often without what follows a comma or a subordinate clause."""
    cut = re.search(r",| which | because | although | while | whereas | but ", rest)
    return rest[: cut.start()].strip() if cut and cut.start() > 12 else rest.strip()


def _plain(rest: str) -> bool:
    return len(rest.split()) > 1 and not DANGLING.search(rest) and not re.search(r"\b(?:not|never|also|however|therefore|thus|either)\b", rest)


def _changed(question: str, text: str, rng: random.Random) -> str | None:
    """The question with another number, opposite or name of the text in it."""
    ways: list[str] = []
    for number in NUMBER.finditer(question):
        others = [n for n in {m.group() for m in NUMBER.finditer(text[:20000])} if n != number.group() and len(n) == len(number.group())]
        if others:
            ways.append(question[: number.start()] + rng.choice(sorted(others)) + question[number.end() :])
    for word in WORD.finditer(question):
        if word.group() in OPPOSITE:
            ways.append(question[: word.start()] + OPPOSITE[word.group()] + question[word.end() :])
    for name in NAME.finditer(question):
        others = sorted({m.group() for m in NAME.finditer(text[:20000])} - {name.group()})
        if others:
            ways.append(question[: name.start()] + rng.choice(others) + question[name.end() :])
    return rng.choice(ways) if ways else None


def _denied(sentence: str) -> str | None:
    """The sentence with its denial taken away, or with one put in."""
    if found := DOES.match(sentence):
        return None if found["aux"] == "did" else sentence[: found.start("aux")] + sentence[found.start("rest") :]
    if found := CANNOT.match(sentence):
        return sentence[: found.start("denied")] + sentence[found.end("denied") :]
    if found := STATES.match(sentence):
        if found["denied"]:
            return sentence[: found.start("denied")] + sentence[found.end("denied") :]
        return sentence[: found.end("aux")] + " not" + sentence[found.end("aux") :]
    if found := YOU.match(sentence):
        says = found["says"]
        turned = {"must": "must not", "must not": "may", "should": "should not", "should not": "should", "can": "cannot", "cannot": "can",
                  "can not": "can", "may": "may not", "may not": "may", "need to": "do not need to", "have to": "do not have to"}.get(says)  # fmt: skip
        return f"You {turned}{sentence[found.end('says') :]}" if turned and says not in ("must", "must not") else None
    if found := VERB.match(sentence):
        return f"{sentence[: found.start('verb')]}does not {VERBS[found['verb']]}{sentence[found.end('verb') :]}"
    return None
