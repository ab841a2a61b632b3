"""The texts the published checkpoint was trained on: framed documents, the question's prompt, the rounds after it.

A prompt is a list of pieces, each with whether its tokens route: the question and the sentences around it do, and
so do the texts gathered last; the template, what the model wrote and older texts do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HEAD = "<|im_start|>user\n"
END_OF_STEP = "<|object_ref_end|>"
END_OF_RETRIEVE = "<End-of-Retrieve>"
ANSWER = "The answer to the question is:"

Piece = tuple[str, bool]


@dataclass
class Round:
    """One finished retrieval: the model's own text (ids up to `END_OF_STEP`) and the documents it named, by id."""

    emitted: str
    documents: dict[int, str]


def framed(number: int, text: str) -> str:
    """A document as it is encoded; numbers start at 0."""
    return f"<|im_start|>[{number}]. {text}[{number}]<|im_end|>"


def prompt(question: str, rounds: list[Round]) -> list[Piece]:
    """The active context of the next round, everything after `HEAD` and the memory."""
    asked = (
        "\nPlease answer the question based on the above historical document information\n\n"
        f"{question}\nPlease return all documents related to the question"
    )
    tail = "<|im_end|>\n<|im_start|>"
    if not rounds:
        return [(asked + "\n", True), (tail, False)]
    *earlier, newest = rounds
    told = "".join(r.emitted + _injected(r) + END_OF_STEP for r in earlier)
    silent = "\n" + tail + told + newest.emitted
    return [(asked, True), (silent, False), (_injected(newest), True), (END_OF_STEP, False)]


def restated(question: str) -> str:
    """What is fed once retrieval has ended; the answer then follows `ANSWER`."""
    return f"<|im_start|>The user's question is: {question}\n{END_OF_STEP}"


def named_documents(emitted: str) -> list[int]:
    """Numbers of the documents named in a model's text such as `[4][7]<|object_ref_end|>`, ascending, each once."""
    return sorted({int(number) for number in re.findall(r"\[([0-9]{1,18})\]", emitted)})


def tokenise(tokenizer: Tokenizer, pieces: list[Piece]) -> tuple[list[int], list[bool]]:
    """Token ids of all pieces, one after the other, and which of them route."""
    ids: list[int] = []
    routes: list[bool] = []
    for text, does in pieces:
        new = tokenizer.encode(text, add_special_tokens=False).ids
        ids += new
        routes += [does] * len(new)
    return ids, routes


def _injected(finished: Round) -> str:
    return "".join(f"[{number}]. {text}\n" for number, text in sorted(finished.documents.items()))
