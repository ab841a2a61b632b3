"""The seat a model takes in the hop loop: encode documents, route, choose the next documents or *enough*, answer.

The bundled pointing model sits here (`pointer.py`); a generative checkpoint takes the same seat
(`generator.py`). Nothing above this file asks which one it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engine.model.config import ModelConfig
    from engine.model.states import DocumentStates


@dataclass(frozen=True)
class Evidence:
    """Original text of one document in the active context; `code` where it is source code. `columns` are the names of a
    table's columns that the text goes on with, from before it; `separator` stands between the cells of a .csv file."""

    document: int
    title: str
    text: str
    code: bool = False
    columns: tuple[str, ...] = ()
    separator: str = ""


@dataclass
class Context:
    """The active context of one hypothesis: the question and the evidence gathered so far, oldest first.

    `proposed` are spans (piece, start, end) that are to be among the readings whatever the model thinks of them.
    `state` is the model's own (token rows, backbone states); nobody else looks into it.
    """

    question: str
    evidence: tuple[Evidence, ...] = ()
    proposed: tuple[tuple[int, int, int], ...] = ()
    state: Any = field(default=None, repr=False)


class RoutedMemory(Protocol):
    """What a model routes over. Documents are numbered 0..N-1 here; router layers are counted from 0."""

    def scores(self, layer: int, query: Tensor, mask: Tensor) -> Tensor:
        """Router queries [Q, T, Hr, Dr] of the tokens in mask [Q, T] -> scores [Q, N] of all documents."""

    def route(self, layer: int, query: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """The same, but only the best: (scores, documents) [Q, <= k], best first."""

    def fetch(self, layer: int, documents: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Pooled K and V [C, G, D] of all chunks of `documents`, in the order given."""


@dataclass
class Candidates:
    """The k documents routing selected for one context, best first, with their states from the store.

    `pooled_kv` holds (K, V) [L, C, G, D] a document; `scores` are the routing scores.
    """

    documents: list[int]
    scores: list[float]
    pooled_kv: list[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Reading:
    """One possible answer: characters [start, end) of `evidence[piece].text`, or kind yes/no, with its score.

    `score` is the log-odds of this answer against the null answer of the same context. `doubt` is 0 for a span, for yes or no
    minus the log of the probability that the evidence says so, and neither the other nor nothing. `read_off` is where (piece, start,
    end) it was read, when the answer itself stands elsewhere: a version in the heading above.
    """

    kind: str
    piece: int
    start: int
    end: int
    score: float
    doubt: float = 0.0
    read_off: tuple[int, int, int] | None = None


@dataclass
class Answered:
    """What the model reads in one context, best first; the probability that its evidence is *enough*; the log-odds that
    the newest piece of it is one of those the question needs."""

    readings: list[Reading]
    enough: float
    relevance: float = 0.0


class MemoryModel(Protocol):
    """What the engine needs of a model."""

    name: str
    fingerprint: str
    config: ModelConfig
    device: torch.device
    max_text_tokens: int
    policy: dict[str, Any]
    """Settings of the hop loop fitted for this model: fields of `engine.policy.Policy`."""

    count_tokens: Callable[[list[str]], list[int]]
    """Tokens of each text; can be sent to another process."""

    def encode_documents(self, documents: list[tuple[str, str]]) -> list[DocumentStates]:
        """(title, text) pairs -> pooled states, one a document, in order."""

    def route(self, contexts: list[Context], memory: RoutedMemory) -> Tensor:
        """Routing scores [Q, N] of all documents for each context, the mean over router layers."""

    def choose(self, contexts: list[Context], candidates: list[Candidates]) -> list[list[float]]:
        """Logits of each context's candidates: is it wanted next. Raises UnsupportedError for a model that only routes."""

    def answer(self, contexts: list[Context], candidates: list[Candidates]) -> list[Answered]:
        """The best readings of each context, and whether it has enough. Raises UnsupportedError for a model that
        only routes."""

    def relevance(self, contexts: list[Context]) -> list[float] | None:
        """For each context the log-odds that the newest piece of its evidence is one of those the question needs, read
        without memory; None from a model that only routes."""
