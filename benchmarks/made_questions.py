"""Questions over two to four encyclopedia introductions, made from facts that rules read out of them, asked of one memory.

    python -m benchmarks.made_questions TEXT_FOLDER [--questions 120] [--passages 4000] [--model DIR] [--out FILE]

Five kinds, as multi-hop families have them: bridges (the director of a film, then a fact about that person), comparisons
of two (which came first), comparisons of what two lead to (whose director is younger), whether both are alike, and bridges
told by a clause (the person who directed a film). The first two are kinds that training made questions of
(training/made_hops.py), some in the very words, from facts read by the same rules out of the same files; the next two lead
over two works, which training's do not, and the last is the first in words that it has not.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.scoring import f1
from benchmarks.sets import passages_in_memory, read_lines
from training.made_hops import INTRO, Entry, entry_of

FILES = ("wiki_intros", "wiki_intros_2", "wiki_articles_2")
SHARES = {"bridge": 0.5, "comparison": 0.3, "bridge comparison": 0.12, "alike": 0.08, "clause": 0.25}
"""How many of each for a question wanted; clauses come on top."""
BRIDGES = {
    "born": ("What is the date of birth of the {role} of {kind} {work}?", "When is the {role} of {kind} {work}'s birthday?"),
    "died": ("What is the date of death of the {role} of {kind} {work}?", "When did the {role} of {kind} {work} pass away?"),
    "nation": ("What nationality is the {role} of {kind} {work}?", "Where was the {role} of {kind} {work} from?"),
}
CLAUSES = {
    "born": ("When was the person who {did} {kind} {work} born?", "On which date was the person born who {did} {kind} {work}?"),
    "died": ("When did the person who {did} {kind} {work} die?", "On which date did the person die who {did} {kind} {work}?"),
    "nation": ("What nationality does the person have who {did} {kind} {work}?", "Which country was the person from who {did} {kind} {work}?"),
}
DID = {"director": "directed", "writer": "wrote", "author": "wrote", "composer": "composed", "performer": "recorded", "singer": "sang"}


def questions(entries: dict[str, Entry], wanted: int, rng: random.Random) -> list[dict[str, Any]]:
    """`wanted` questions: kind, question, answers and the titles of the introductions that tell."""
    people = [e for e in entries.values() if e.kind == "person"]
    works = [e for e in entries.values() if e.kind != "person"]
    made = [(w, entries[w.maker[1]]) for w in works if w.maker and w.maker[1] in entries]
    made = [(w, p) for w, p in made if p.kind == "person"]
    makers = {
        "bridge": lambda: _bridge(*rng.choice(made), BRIDGES, rng),
        "comparison": lambda: _compared(*rng.sample(rng.choice((people, works)), 2), rng),
        "bridge comparison": lambda: _led(*rng.sample(made, 2), rng),
        "alike": lambda: _alike(*rng.sample(made, 2)),
        "clause": lambda: _bridge(*rng.choice(made), CLAUSES, rng),
    }
    asked: dict[str, dict[str, Any]] = {}
    for kind, share in SHARES.items():
        missing = round(share * wanted)
        while missing:
            question = makers[kind]()
            if question and question["question"] not in asked:
                asked[question["question"]] = {"kind": kind, **question}
                missing -= 1
    return list(asked.values())


def _question(text: str, answer: str, golds: list[Entry]) -> dict[str, Any]:
    return {"question": text, "answers": [answer], "golds": [e.title for e in golds]}


def _bridge(work: Entry, person: Entry, wordings: dict[str, tuple[str, ...]], rng: random.Random) -> dict[str, Any]:
    fact = rng.choice([f for f in wordings if f in person.facts])
    text = rng.choice(wordings[fact]).format(role=work.maker[0], did=DID[work.maker[0]], kind=work.kind, work=work.name)
    return _question(text, person.fact(fact), [work, person])


def _compared(a: Entry, b: Entry, rng: random.Random) -> dict[str, Any] | None:
    fact = "born" if a.kind == "person" else "year"
    if a.kind != b.kind or a.year(fact) == b.year(fact):
        return None
    first = rng.random() < 0.5
    winner = min(a, b, key=lambda e: e.year(fact) * (1 if first else -1))
    person = f"Who is {'older' if first else 'younger'}, {a.name} or {b.name}?"
    work = f"Which {a.kind} came out {'first' if first else 'later'}, {a.name} or {b.name}?"
    return _question(person if fact == "born" else work, winner.name, [a, b])


def _led(one: tuple[Entry, Entry], other: tuple[Entry, Entry], rng: random.Random) -> dict[str, Any] | None:
    (a, p), (b, q) = one, other
    if (a.kind, a.maker[0]) != (b.kind, b.maker[0]) or p.year("born") == q.year("born"):
        return None
    first = rng.random() < 0.5
    winner = a if (p.year("born") < q.year("born")) == first else b
    when = "first" if first else "later"
    return _question(f"Which {a.kind} has the {a.maker[0]} who was born {when}, {a.name} or {b.name}?", winner.name, [a, p, b, q])


def _alike(one: tuple[Entry, Entry], other: tuple[Entry, Entry]) -> dict[str, Any] | None:
    (a, p), (b, q) = one, other
    if p is q:
        return None
    text = f"Do the {a.maker[0]} of {a.kind} {a.name} and the {b.maker[0]} of {b.kind} {b.name} have the same nationality?"
    return _question(text, "yes" if p.fact("nation") == q.fact("nation") else "no", [a, p, b, q])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--questions", type=int, default=120)
    parser.add_argument("--passages", type=int, default=4000)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--out", type=Path, help="per-question results, JSON lines")
    args = parser.parse_args()
    rng = random.Random(7)
    records = [r for name in FILES for r in read_lines(args.text / f"{name}.jsonl.xz")]
    rng.shuffle(records)
    entries: dict[str, Entry] = {}
    for record in records:
        if found := entry_of(record):
            entries.setdefault(found.name, found)
    asked = questions(entries, args.questions, rng)
    wanted = {title for q in asked for title in q["golds"]}
    kept = [r for r in records if r["title"] in wanted]
    kept += [r for r in records if r["title"] not in wanted][: args.passages]
    rows = []
    passages = {r["id"]: {**r, "id": r["title"], "text": r["text"].split("\n# ")[0][: INTRO + 300]} for r in kept}
    with passages_in_memory(passages, args.model) as memory:
        for q in asked:
            answer = memory.ask(q["question"])
            read = {d.record for hop in answer.hops for d in hop.documents if d.chosen}
            rows.append({**q, "answer": answer.answer, "f1": f1(answer.answer or "", q["answers"]), "read": read >= set(q["golds"])})
    if args.out:
        args.out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    kinds = defaultdict(list)
    for row in rows:
        kinds[row["kind"]].append(row)
    table = Table("kind", "questions", "F1", "found", "all passages read")
    shown = {}
    for kind, of_kind in [*kinds.items(), ("all", rows)]:
        means = [100 * sum(map(value, of_kind)) / len(of_kind) for value in (_f1, _found, _read)]
        table.add_row(kind, str(len(of_kind)), *(f"{m:.1f}" for m in means))
        shown[kind] = dict(zip(("f1", "found", "read"), (round(m, 1) for m in means), strict=True))
    Console(width=100).print(table)
    print(json.dumps({"benchmark": "made_questions", "questions": len(rows), "passages": len(kept), "kinds": shown}))


def _f1(row: dict[str, Any]) -> float:
    return row["f1"]


def _found(row: dict[str, Any]) -> bool:
    return row["answer"] is not None


def _read(row: dict[str, Any]) -> bool:
    return row["read"]


if __name__ == "__main__":
    main()
