"""Passages that questions are to be made for: documents of the training texts, cut the way ingest cuts them.

    python -m training.passages TEXT_FOLDER OUT.jsonl.xz [--config training/configs/passages.json]

A passage is {"file", "source", "part", "title", "text"}: the file and the record it is from, and which document of the
record it is. Records come in random order, each with a run of its documents; neighbours in a record stay neighbours
here. What is short, mostly not words, or only licences and imports is left out.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from benchmarks.sets import read_lines
from engine.model.config import ModelConfig
from engine.model.inputs import EncoderInputs
from engine.model.tokenizer import TokenCounter, load_tokenizer
from engine.places import bundled_model
from engine.sources import SourceText, cut, kind_of, sections_of
from engine.sources.pieces import Counter
from engine.sources.titles import clean_title

CODE = "code"
RUN = 8
SHORTEST = 250
# Characters that a document must hold beside licences and imports.
LEAST_TOLD = 80
LEAST_LETTERS = 0.55
LEAST_LETTERS_IN_CODE = 0.4
PARAGRAPHS = re.compile(r"(?:[^\S\n]*\S[^\n]*(?:\n|\Z))+")
COMMENTS = re.compile(r"(?:^[ \t]*(?:#(?!include)|//|/?\*|--)[^\n]*(?:\n|\Z))+", re.M)
LICENCE = re.compile(
    r"copyright (?:\(c\)|©|\d|notice)|all rights reserved|licensed under|free documentation license|SPDX-|"
    r"without (?:any )?warrant|permission (?:is|to use)[^.]{0,60} granted|general public license|terms of (?:the|this) licen[cs]e",
    re.I,
)
IMPORTS = re.compile(
    r"^[ \t]*(?:(?:from[ \t]+\S+[ \t]+)?import\b(?:[^\n(;]*\([^)]*\)|[^\n{;]*\{[^}]*\}[^\n]*|[^\n]*)"
    r"|(?:pub[ \t]+)?use[ \t][^;]*;|(?:pub[ \t]+)?mod[ \t]+\w+;|export[ \t]+(?:\*|\{[^}]*\})[ \t]*from[^\n]*"
    r"|#[ \t]*include[^\n]*|(?:package|require|require_relative)[ \t(][^\n]*)",
    re.M,
)


def bundled_counter() -> tuple[Counter, int]:
    """What counts the bundled model's tokens, and how many of them a document's text may have beside its title."""
    folder = bundled_model()
    inputs = EncoderInputs(load_tokenizer(folder), ModelConfig.load(folder))
    return TokenCounter(inputs.tokenizer), inputs.max_text_tokens


def source_of(name: str, record: dict[str, Any]) -> tuple[SourceText, str]:
    """A record as the source that ingest would read, and its name: code is a file at its path, all else has headings."""
    text = record["text"]
    if name == CODE:
        path = record["source"].partition(":")[2]
        kind = kind_of(path)
        return SourceText(text, kind, PurePosixPath(path).name, sections_of(text, kind, path)), path
    title = clean_title(record["title"]) or record["id"]
    # A record's title is mostly its first heading, and is not to be said twice.
    sections = [
        replace(s, title=tuple(h for h in s.title if h != title and not title.endswith(f" - {h}")))
        for s in sections_of(text, "markdown", title)
    ]
    return SourceText(text, "markdown", title, sections, record=record["id"]), title


def is_kept(text: str, code: bool) -> bool:
    """Whether a document says enough to be asked about."""
    letters = sum(map(str.isalpha, text)) / max(1, len("".join(text.split())))
    if len(text) < SHORTEST or letters < (LEAST_LETTERS_IN_CODE if code else LEAST_LETTERS):
        return False
    told = (COMMENTS if code else PARAGRAPHS).sub(lambda block: "" if LICENCE.search(block[0]) else block[0], text)
    return len("".join((IMPORTS.sub("", told) if code else told).split())) >= LEAST_TOLD


def passages(
    name: str, records: Iterable[dict[str, Any]], count: Counter, max_tokens: int, rng: random.Random
) -> Iterator[dict[str, Any]]:
    """The passages of the records of a file: of each, in random order, a run of its documents."""
    shuffled = list(records)
    rng.shuffle(shuffled)
    for record in shuffled:
        parts = passages_of(name, record, count, max_tokens)
        first = rng.randrange(max(1, len(parts) - RUN + 1))
        yield from (p for p in parts[first : first + RUN] if is_kept(p["text"], name == CODE))


def passages_of(name: str, record: dict[str, Any], count: Counter, max_tokens: int) -> list[dict[str, Any]]:
    """All passages of a record."""
    source, named = source_of(name, record)
    told = {"file": name, "source": record["id"]}
    return [
        {**told, "part": part, "title": span.title, "text": record["text"][span.start : span.end]}
        for part, span in enumerate(cut(source, named, count, max_tokens))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).parent / "configs" / "passages.json")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    count, max_tokens = bundled_counter()
    with lzma.open(args.out, "wt", encoding="utf-8", preset=9) as out:
        for name, quota in config["quotas"].items():
            records, rng = read_lines(args.text / f"{name}.jsonl.xz"), random.Random(f"{name}{config['seed']}")
            rows = list(islice(passages(name, records, count, max_tokens, rng), quota))
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            print(f"{name}: {len(rows)}", flush=True)


if __name__ == "__main__":
    main()
