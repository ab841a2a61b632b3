"""What goes into the store (`New...`) and the rows that come out of it."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from engine.sources.long_text import LongText
    from engine.model.states import DocumentStates


@dataclass(frozen=True)
class NewSource:
    """A source as ingested. Its identity is (`root`, `name`, `record`).

    `text` is the whole text even when its documents arrive in several commits;
    `total_documents` says how many documents the source has when it is complete.
    """

    root: str
    name: str
    record: str | None
    kind: str
    title: str
    content_hash: str
    size: int
    mtime_ns: int
    text: str | LongText
    total_documents: int
    page_starts: list[int] | None = None
    line: int | None = None


@dataclass(frozen=True)
class NewDocument:
    """One encoded slice [start, end) of its source's text. `ordinal` counts from 0 within the source."""

    ordinal: int
    start: int
    end: int
    title: str
    states: DocumentStates


class SourceRow(NamedTuple):
    """A source in memory. `source` is the path everybody sees, `display` adds `#record` to it."""

    id: int
    root: str
    name: str
    record: str | None
    source: str
    display: str
    kind: str
    title: str
    content_hash: str
    size: int
    mtime_ns: int
    n_chars: int
    n_tokens: int
    n_documents: int
    total_documents: int
    complete: int
    page_starts_json: str | None
    line: int | None

    @property
    def page_starts(self) -> list[int] | None:
        return page_starts_of(self.page_starts_json)


class DocumentRow(NamedTuple):
    """A document in memory, where its states lie, and the columns of its source that a citation needs."""

    id: int
    source_id: int
    ordinal: int
    start: int
    end: int
    title: str
    n_tokens: int
    n_chunks: int
    segment_id: int
    chunk_offset: int
    kv_offset: int
    root: str
    name: str
    record: str | None
    source: str
    display: str
    kind: str
    page_starts_json: str | None
    line: int | None

    @property
    def page_starts(self) -> list[int] | None:
        return page_starts_of(self.page_starts_json)


class SegmentRow(NamedTuple):
    """A segment file. `bytes_router` and `bytes_kv` are the sizes of its tensors."""

    id: int
    file: str
    n_chunks: int
    n_documents: int
    n_tokens: int
    bytes_router: int
    bytes_kv: int
    checksum: str


@lru_cache(maxsize=64)
def _parsed(page_starts: str) -> list[int]:
    return json.loads(page_starts)


def page_starts_of(page_starts: str | None) -> list[int] | None:
    return None if page_starts is None else _parsed(page_starts)


def page_of(row: SourceRow | DocumentRow, char: int) -> int | None:
    """1-based page that holds character `char` of the source's text; None for a source without pages."""
    starts = row.page_starts
    return None if not starts else max(1, bisect_right(starts, char))
