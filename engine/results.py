"""Everything the library hands out. Plain dataclasses: no tensors, no I/O, cheap to import.

`to_dict()` of a result is the machine interface of the command line (`--json`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


class Result:
    """Base: a dataclass that becomes JSON by its field names."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)  # type: ignore[call-overload]


@dataclass(frozen=True)
class Citation(Result):
    """A quote that was compared with the stored text before it was handed out.

    `start`/`end` count characters of the source's stored text; `lines` are 1-based and inclusive;
    `page` is 1-based and given for paged sources only.
    """

    source: str
    record: str | None
    page: int | None
    lines: tuple[int, int] | None
    start: int
    end: int
    quote: str

    @property
    def location(self) -> str:
        """`path#page=N`, `path:a-b` or the bare path: what a person can open."""
        if self.page is not None:
            return f"{self.source}#page={self.page}"
        if self.lines is not None:
            return f"{self.source}:{self.lines[0]}-{self.lines[1]}"
        return self.source


@dataclass(frozen=True)
class HopDocument(Result):
    """A document one round of routing chose."""

    source: str
    record: str | None
    title: str
    score: float
    page: int | None = None
    lines: tuple[int, int] | None = None
    chosen: bool = False


@dataclass(frozen=True)
class Hop(Result):
    """One round of memory interleaving: what was looked for, what was found, why it went on or stopped."""

    round: int
    query: str
    documents: list[HopDocument]
    decision: str
    enough: float


@dataclass(frozen=True)
class RecalledDocument(Result):
    """One line of `recall`: a document the router would choose."""

    rank: int
    source: str
    record: str | None
    title: str
    page: int | None
    lines: tuple[int, int] | None
    score: float


@dataclass(frozen=True)
class Recall(Result):
    """The documents the router would choose for a question, best first."""

    question: str
    documents: list[RecalledDocument]


@dataclass(frozen=True)
class Answer(Result):
    """An answer with its evidence. `found` is False when memory does not hold it; then `nearest` helps.

    Each of `answers` stands verbatim in a citation; `answer` is all of them, one unless several things were asked for.
    """

    question: str
    answer: str | None
    found: bool
    confidence: float
    citations: list[Citation]
    hops: list[Hop]
    timings_ms: dict[str, float]
    nearest: list[Citation] = field(default_factory=list)
    dropped_citations: int = 0
    answers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SourceInfo(Result):
    """A file, or one record of a .jsonl, in memory. `name` is what `forget` takes."""

    source: str
    record: str | None
    kind: str
    documents: int
    tokens: int
    name: str
    id: int


@dataclass(frozen=True)
class FailedSource(Result):
    """A file that was left out, and why, in one line."""

    path: str
    reason: str


@dataclass(frozen=True)
class IngestProgress(Result):
    """Handed to the progress callback after every step. Tokens are counted when their document is encoded."""

    files_done: int
    files_total: int
    tokens: int
    bytes_done: int
    bytes_total: int
    current: str


@dataclass
class IngestReport(Result):
    """What one ingest did. Counts are sources."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    pruned: int = 0
    documents: int = 0
    tokens: int = 0
    seconds: float = 0.0
    failed: list[FailedSource] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    skipped: list[FailedSource] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Footprint(Result):
    """What the memory costs, by tier. Bytes; `places` says where each tier lives."""

    store: str
    tokens: int
    documents: int
    sources: int
    chunks: int
    segments: int
    bytes: dict[str, int]
    bytes_per_token: float
    resident: dict[str, int]
    places: dict[str, str]
    kinds: dict[str, int]
    projections: list[dict[str, Any]]
    model: str | None
    fingerprint: str | None
    device: str


@dataclass(frozen=True)
class Verification(Result):
    """What `verify` found. `problems` is empty exactly when the memory is sound."""

    segments: int
    documents: int
    sources: int
    problems: list[str]

    @property
    def sound(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class Forgotten(Result):
    """What `forget` removed, and whether a scan of the store's files found any trace left."""

    sources: list[str]
    documents: int
    tokens: int
