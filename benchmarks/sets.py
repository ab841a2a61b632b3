"""Question sets as memories: passages become a .jsonl, ingested the way a user would."""

from __future__ import annotations

import json
import lzma
import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine import Memory


@dataclass
class Question:
    """One question; `golds` are the record ids of its gold passages, `answers` empty where there is none."""

    set: str
    id: str
    question: str
    answers: list[str]
    golds: list[str]
    kind: str


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Records of a .jsonl or .jsonl.xz file."""
    with (lzma.open if path.suffix == ".xz" else open)(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def load(
    folder: Path, name: str, questions: int, passages: int, seed: int = 1, needs_answer: bool = True, part: str = "valid"
) -> tuple[list[Question], list[dict]]:
    """At most `questions` of a set's part, and their passages filled up with others to `passages` in all.

    With `needs_answer` false, questions that only name their gold passages count too.
    """
    rng = random.Random(f"{name}{seed}")
    asked = [q for q in read_lines(folder / f"{name}.{part}.questions.jsonl.xz") if _usable(q, needs_answer)]
    asked = rng.sample(asked, min(questions, len(asked)))
    needed = {c["id"] for q in asked for c in q["contexts"]}
    texts = {c["id"]: c for c in read_lines(folder / f"{name}.contexts.jsonl.xz")}
    others = sorted(texts.keys() - needed)
    chosen = sorted(needed & texts.keys()) + rng.sample(others, min(len(others), max(0, passages - len(needed))))
    rows = [
        Question(
            name, q["id"], q["question"], q["answers"], [c["id"] for c in q["contexts"] if c["gold"]], q["type"]
        )
        for q in asked
    ]
    return rows, [texts[i] for i in chosen]


def load_pool(
    folder: Path, names: Iterable[str], questions: int, passages: int, needs_answer: bool = True, part: str = "valid"
) -> tuple[list[Question], dict[str, dict[str, Any]]]:
    """The questions of several sets, and all their passages by id, to lie in one memory. Numbers are a set."""
    pool: list[Question] = []
    texts: dict[str, dict[str, Any]] = {}
    for name in names:
        asked, of_set = load(folder, name, questions, passages, needs_answer=needs_answer, part=part)
        pool += asked
        texts.update({p["id"]: p for p in of_set})
    return pool, texts


def write_records(passages: list[dict], path: Path) -> None:
    with path.open("w", encoding="utf-8") as out:
        for p in passages:
            record = {"id": p["id"], "title": p["title"], "text": p["text"]}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")


@contextmanager
def passages_in_memory(passages: Mapping[str, dict[str, Any]], model: Path | None) -> Iterator[Memory]:
    """A memory of these passages, a record each, gone afterwards."""
    from engine import Memory

    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / "passages.jsonl"
        write_records(list(passages.values()), records)
        with Memory.open(Path(folder) / "memory", model=model, create=True) as memory:
            memory.ingest([records])
            yield memory


def _usable(question: dict[str, Any], needs_answer: bool) -> bool:
    if question["type"] == "unanswerable":
        return True
    return (bool(question["answers"]) or not needs_answer) and any(c["gold"] for c in question["contexts"])
