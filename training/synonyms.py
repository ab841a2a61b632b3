"""Questions in other words: common words of a question replaced by synonyms, so that reading does not hang on shared words.

    python -m training.synonyms MODEL_FOLDER TEXT_FOLDER OUT.json

Synonyms stand together in an entry of WordNet; of its many senses those are kept whose words the model's own embeddings
hold to be near.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional as F

from benchmarks.sets import read_lines
from engine.model.checkpoint import load_tensors

ENTRY = re.compile(r"^([a-z]+(?:[ ,'-]+[a-z]+)*) \([a-z]+\):", re.M)
WORD = re.compile(r"(?<![\w'-])[a-z]{3,}(?![\w'-])")
ENDINGS = ("", "s", "ed", "ing", "d")
NEAR = 0.31
LEAST_LETTERS = 4

Table = dict[str, list[str]]


def synonyms(texts: Iterable[str], vocabulary: dict[str, int], embeddings: torch.Tensor) -> Table:
    """Word -> its synonyms, both single tokens; `embeddings` [V, D]."""
    unit = F.normalize(embeddings.float() - embeddings.float().mean(0), dim=-1)
    table: dict[str, set[str]] = {}
    for text in texts:
        for entry in ENTRY.finditer(text):
            words = [w for w in entry[1].split(", ") if w in vocabulary and len(w) >= LEAST_LETTERS]
            for a in words:
                near = {b for b in words if b != a and unit[vocabulary[a]] @ unit[vocabulary[b]] >= NEAR}
                table.setdefault(a, set()).update(near)
    inflected: dict[str, set[str]] = {}
    for a, others in table.items():
        for ending in ENDINGS:
            formed = {b + ending for b in others if b + ending in vocabulary}
            if formed and a + ending in vocabulary:
                inflected.setdefault(a + ending, set()).update(formed - {a + ending})
    return {word: sorted(others) for word, others in sorted(inflected.items()) if others}


def reworded(sample: dict[str, Any], table: Table, settings: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The sample, its question in `settings["reworded"]` of all cases with some of its lower-case words replaced."""
    if rng.random() >= settings["reworded"]:
        return sample

    def other(word: re.Match[str]) -> str:
        known = table.get(word[0])
        return rng.choice(known) if known and rng.random() < settings["reworded_words"] else word[0]

    return {**sample, "question": WORD.sub(other, sample["question"])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    vocabulary = Tokenizer.from_file(str(args.model / "tokenizer.json")).get_vocab()
    texts = (record["text"] for record in read_lines(args.text / "wordnet.jsonl.xz"))
    table = synonyms(texts, vocabulary, load_tensors(args.model)["word_embeddings.weight"])
    args.out.write_text(json.dumps(table))
    print(f"{len(table)} words")


if __name__ == "__main__":
    main()
