"""How texts become token rows for the encoder: a document alone, or the active context [question ; evidence ...]."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from tokenizers import Tokenizer
from torch import Tensor

from engine.model.config import ModelConfig
from engine.separated import as_strokes
from engine.model.tables import column_names

# With less text than this beside its title a piece of evidence says nothing.
LEAST_TEXT = 8
MARKS = "-=~_*#.+/<>|"
_SEPARATORS = re.compile(r"[\\/_.>#:\-]+|\s+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def spoken_title(title: str) -> str:
    """A path-like title as words: `docs/api_v2.md > Set-up` -> `docs api v2 md Set up`. The backbone reads words."""
    return " ".join(_SEPARATORS.sub(" ", _CAMEL.sub(" ", title)).split())


@dataclass
class ActiveRow:
    """One active context as tokens. `places` maps an evidence token position to (evidence number, start, end) characters."""

    ids: list[int]
    segments: list[int]
    question_length: int
    places: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def routing(self) -> list[bool]:
        """The question's tokens route: they have seen all evidence, and are not outvoted by it in the mean."""
        return [i < self.question_length for i in range(len(self.ids))]


class EncoderInputs:
    """Token rows under one tokenizer and one configuration."""

    def __init__(self, tokenizer: Tokenizer, config: ModelConfig):
        self.tokenizer = tokenizer
        self.config = config
        self.cls = tokenizer.token_to_id("[CLS]")
        self.sep = tokenizer.token_to_id("[SEP]")
        self.colon = tokenizer.token_to_id(":")
        self.marks = frozenset(i for mark in MARKS if (i := tokenizer.token_to_id(mark)) is not None)
        self._title_ids = lru_cache(maxsize=4096)(self._encode_title)

    @property
    def max_text_tokens(self) -> int:
        """Tokens of text a document may hold beside its title and the special tokens."""
        return self.config.max_document_tokens - self.config.max_title_tokens - 3

    def documents(self, documents: list[tuple[str, str]]) -> list[list[int]]:
        """(title, text) pairs -> `[CLS] title : text [SEP]`, text cut at the document length."""
        texts = self.tokenizer.encode_batch_fast([text for _, text in documents], add_special_tokens=False)
        rows = []
        for (title, _), text in zip(documents, texts, strict=True):
            head = [self.cls, *self.title_ids(title)]
            rows.append([*head, *text.ids[: self.config.max_document_tokens - len(head) - 1], self.sep])
        return rows

    def title_ids(self, title: str) -> list[int]:
        return list(self._title_ids(title))

    def _encode_title(self, title: str) -> tuple[int, ...]:
        if not title:
            return ()
        ids = self.tokenizer.encode(spoken_title(title), add_special_tokens=False).ids
        return (*ids[-self.config.max_title_tokens :], self.colon)

    def active(self, question: str, evidence: Sequence[tuple]) -> ActiveRow:
        """`[CLS] question [SEP]` then `title : text [SEP]` for each piece of evidence, newest last.

        A piece is (title, text), and for tables the names of the columns that its text goes on with, and what separates cells
        if no strokes do.

        In a table the name of its column stands before each cell, as no place an answer could have. What does not fit
        is cut to equal shares, the newest evidence too; then the oldest is left out.
        """
        asked = self.tokenizer.encode(question, add_special_tokens=False).ids[: self.config.max_question_tokens]
        row = ActiveRow([self.cls, *asked, self.sep], [0] * (len(asked) + 2), len(asked) + 2)
        texts = [self._placed(*piece[1:]) for piece in evidence]
        titles = [self.title_ids(piece[0]) for piece in evidence]
        room = self.config.max_position_embeddings - len(row.ids)
        first = 0
        while room - sum(len(t) + 1 for t in titles[first:]) < LEAST_TEXT * (len(titles) - first):
            first += 1
        room -= sum(len(t) + 1 for t in titles[first:])
        budgets = _share(room, [self._wanted(t) for t in texts[first:]])
        kept = zip(titles[first:], texts[first:], budgets, strict=True)
        for number, (title, text, budget) in enumerate(kept, first):
            row.ids += title
            for token, start, end in text[:budget]:
                if end > start:
                    row.places[len(row.ids)] = (number, start, end)
                row.ids.append(token)
            row.ids.append(self.sep)
        row.segments += [1] * (len(row.ids) - len(row.segments))
        return row


    def _wanted(self, placed: list[tuple[int, int, int]]) -> int:
        """Tokens a piece would take: at most a document's, its columns' names beside them."""
        return min(len(placed), self.config.max_document_tokens + sum(end == 0 for _, _, end in placed))

    def _placed(self, text: str, columns: Sequence[str] = (), separator: str = "") -> list[tuple[int, int, int]]:
        """Tokens with their (start, end) characters; what is not in the text, a column's name, has (0, 0)."""
        shown = as_strokes(text, separator) if separator else text
        encoded = self.tokenizer.encode(shown, add_special_tokens=False)
        names = column_names(text, columns, separator)
        placed: list[tuple[int, int, int]] = []
        for token, (start, end) in zip(encoded.ids, encoded.offsets, strict=True):
            while names and names[0][0] <= start:
                placed += [(i, 0, 0) for i in self.title_ids(names.pop(0)[1])]
            # A line of dashes would be a token each: of a mark's repetitions two are kept.
            if not (token in self.marks and [t for t, _, _ in placed[-2:]] == [token, token]):
                placed.append((token, start, end))
        return placed


def _share(room: int, wanted: list[int]) -> list[int]:
    """Tokens each piece gets: an equal share of what is left, newest first, or more where older ones want less."""
    given = []
    for i in range(len(wanted) - 1, -1, -1):
        take = min(wanted[i], max(room // (i + 1), room - sum(wanted[:i])))
        given.append(take)
        room -= take
    return given[::-1]


def pad(rows: list[list[int]], value: int = 0) -> tuple[Tensor, Tensor]:
    """Rows -> ids [B, T] and mask [B, T] (True at real tokens)."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), value)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    return ids, torch.arange(longest)[None] < torch.tensor([len(r) for r in rows])[:, None]
