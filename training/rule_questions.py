"""Questions over made house rules, manuals and minutes: many values of one sort side by side, asked in other words.

The statements and their questions stand in `templates/rules.json`, 96 of them for twelve kinds of text. A question in
six asks what the text does not say; one in six needs a second text (the person responsible, then that person's post).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Sample = dict[str, Any]
Rule = dict[str, Any]

RULES = Path(__file__).parent / "templates" / "rules.json"
NUMBERS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
FIRST = "Aino Bram Carla Dario Edith Farouk Greta Hamid Ines Jorge Kemi Lena Marta Nils Olga Pavel Rosa Samir Tove Vikram".split()
LAST = "Abbas Bauer Castillo Dahl Eriksen Fontaine Grant Hughes Ito Jansen Koval Lindgren Moreau Novak Okafor Petrov Reyes Sato".split()
PLANTS = ("lettuce", "tomato", "leek", "basil", "celery", "pepper", "fennel", "spinach")
PLACES = ("Halden", "Marwick", "Porto Velo", "Tarn End", "Oldbridge", "Sankt Elm", "Rivermouth", "Kestrel Hill", "Vale")
POSTS = ("deputy head", "night porter", "chief engineer", "secretary", "head gardener", "purser", "bookkeeper", "volunteer",
         "site manager", "apprentice", "safety officer", "vice chair")  # fmt: skip
MONTHS = "January February March April May June July August September October November December".split()
SLOT = re.compile(r"\{[vancd]\}")
# A number keeps the unit that follows it.
UNIT = re.compile(r" (?:degrees|cm|MB|bar|knots|grams|metres|percent)\b")
PERSON = re.compile(r"^Who (?=is|leads|teaches|holds|fixes|looks|took|wanted|made|constructed|can )")
ASK_PERSON = (
    ("post", "What post does {person} hold?"),
    ("post", "What is the job of {person}?"),
    ("room", "In which room is {person} to be found?"),
    ("extension", "What is the extension of {person}?"),
    ("extension", "Which number do I dial to reach {person}?"),
)


def _number(value: int, rng: random.Random) -> str:
    return NUMBERS[value - 1] if value <= len(NUMBERS) and rng.random() < 0.6 else str(value)


def _span(rng: random.Random) -> str:
    unit = rng.choice(("seconds", "minutes", "hours", "days", "weeks", "months"))
    return f"{_number(rng.randrange(2, 50), rng)} {unit}"


def _money(rng: random.Random) -> str:
    amount = rng.choice((rng.randrange(1, 30), rng.randrange(5, 90) * 10, f"{rng.randrange(1, 40)}.{rng.randrange(1, 10)}0"))
    return rng.choice(("£{}", "€{}", "${}", "{} euros", "{} crowns")).format(amount)


def _clock(rng: random.Random) -> str:
    hour = rng.randrange(5, 12)
    return rng.choice((f"{hour} pm", f"{hour} o'clock", f"{hour + 8}:{rng.randrange(6)}0", f"half past {NUMBERS[hour - 1]}"))


def _code(rng: random.Random) -> str:
    letters = "".join(rng.choices("ABDEFGHKLMPRTW", k=rng.randrange(1, 4)))
    return rng.choice(("{}{}", "{}-{}", "{} {}")).format(letters, rng.randrange(10, 9999))


def _identifier(rng: random.Random) -> str:
    return "".join(rng.sample(("Quota", "Limit", "Usage", "Budget", "Plan", "Exceeded", "Reached", "Error", "Denied"), 3))


def _variable(rng: random.Random) -> str:
    return "_".join(rng.sample(("APP", "SRV", "LOG", "DIR", "PATH", "HOME", "OUT", "BASE", "ROOT"), 3))


VALUES = {
    # Small numbers are the common ones.
    "count": lambda r: _number(r.randrange(2, r.choice((20, 90, 900))), r),
    "age": lambda r: _number(r.randrange(6, 19), r),
    "span": _span,
    "money": _money,
    "clock": _clock,
    "code": _code,
    "identifier": _identifier,
    "variable": _variable,
    "percent": lambda r: str(r.randrange(5, 95)),
    "dose": lambda r: f"{_number(r.randrange(2, 30), r)} {r.choice(('ml', 'grams', 'spoons', 'drops', 'µl'))}",
    "name": lambda r: f"{r.choice(FIRST)} {r.choice(LAST)}",
    "date": lambda r: f"{r.randrange(1, 29)} {r.choice(MONTHS)}{r.choice(('', f' {r.randrange(1995, 2030)}'))}",
}


def rule_samples(records: Iterable[dict[str, Any]], wanted: int, rng: random.Random) -> list[Sample]:
    """`wanted` questions; some texts stand among sentences of a real one."""
    domains = json.loads(RULES.read_text(encoding="utf-8"))
    samples: list[Sample] = []
    for record in records:
        paragraphs = [p for p in record["text"].split("\n") if 150 < len(p) < 500]
        filler = rng.choice(paragraphs) if paragraphs and rng.random() < 0.4 else ""
        samples.append(_sample(rng.choice(list(domains)), domains, filler, rng))
        if len(samples) == wanted:
            break
    return samples


def _sample(domain: str, domains: dict[str, list[Rule]], filler: str, rng: random.Random) -> Sample:
    people = [rule for rule in domains[domain] if rule.get("value") == "name"]
    asked = rng.choice(people if people and rng.random() < 0.2 else domains[domain])
    others = rng.sample([rule for rule in domains[domain] if rule is not asked], rng.randrange(3, 7))
    title = rng.choice((domain, f"{rng.choice(PLACES)}: {domain.lower()}", f"{domain}, {rng.choice(PLACES)}"))
    plant = rng.choice(PLANTS)
    half = len(others) // 2 or 1
    question = rng.choice(asked["ask"]).replace("{p}", plant)
    wrong = {"title": title, "text": _text([_said(rule, plant, rng)[0] for rule in others[half:]], "", rng)}
    sample = {"set": "rules", "question": question, "kind": "null", "golds": [], "negatives": [wrong]}
    told = [_said(rule, plant, rng)[0] for rule in others[:half]]
    if rng.random() < 1 / 6:
        return {**sample, "negatives": [{"title": title, "text": _text(told, filler, rng)}, wrong]}
    sentence, answer = _said(asked, plant, rng)
    text = _text([*told, sentence], filler, rng)
    gold = {"title": title, "text": text, "spans": []}
    if answer in ("yes", "no"):
        return {**sample, "kind": answer, "golds": [gold]}
    at = text.index(sentence) + sentence.index(answer)
    if asked["value"] == "name" and PERSON.match(question) and rng.random() < 0.8:
        return _person(sample, gold, PERSON.sub("the person who ", question).rstrip("?"), answer, rng)
    unit = UNIT.match(text, at + len(answer))
    gold["spans"] = [[at, unit.end() if unit else at + len(answer)]]
    return {**sample, "kind": "span", "golds": [gold]}


def _said(rule: Rule, plant: str, rng: random.Random) -> tuple[str, str]:
    """(what the text says, the value in it; or yes or no)."""
    say = rng.choice(rule["say"])
    if "value" not in rule:
        return say[0], say[1]
    value = VALUES[rule["value"]](rng)
    value = value[0].upper() + value[1:] if SLOT.match(say) else value
    return SLOT.sub(lambda _: value, say).replace("{p}", plant), value


def _text(sentences: list[str], filler: str, rng: random.Random) -> str:
    sentences = [*sentences, *re.split(r"(?<=[.!?])\s+", filler.strip())] if filler else list(sentences)
    rng.shuffle(sentences)
    form = rng.randrange(4)
    if form == 0:
        return "\n".join(f"- {s}" for s in sentences)
    if form == 1:
        return "\n\n".join(f"{n}. {s}" for n, s in enumerate(sentences, 1))
    return (" " if form == 2 else "\n").join(sentences)


def _person(sample: Sample, gold: dict[str, Any], person: str, name: str, rng: random.Random) -> Sample:
    """Asks a fact about the person whom the first text names and a list of people knows."""
    what, wording = rng.choice(ASK_PERSON)
    people = [name, *rng.sample([f"{a} {b}" for a in FIRST for b in LAST if f"{a} {b}" != name], rng.randrange(3, 7))]
    rng.shuffle(people)
    facts = {
        p: {"post": rng.choice(POSTS), "room": f"{rng.choice('ABCDE')}{rng.randrange(1, 60)}", "extension": str(rng.randrange(100, 999))}
        for p in people
    }
    row = rng.choice(("| {p} | {post} | {room} | {extension} |", "{p}, {post}, room {room}, extension {extension}"))
    lines = [row.format(p=p, **f) for p, f in facts.items()]
    if row.startswith("|"):
        lines = ["| Name | Post | Room | Extension |", "| --- | --- | --- | --- |", *lines]
    text = "\n".join(lines)
    line = next(x for x in lines if name in x)
    at = text.index(line) + line.index(facts[name][what], line.index(name) + len(name))
    second = {"title": "People", "text": text, "spans": [[at, at + len(facts[name][what])]]}
    question = wording.format(person=person)
    return {**sample, "question": question, "kind": "span", "golds": [gold, second], "needs_all": True}
