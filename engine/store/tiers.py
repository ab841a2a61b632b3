"""Where states live when questions are asked: router keys in blocks by budget, content K/V on disk, fetched per question."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor

from engine.store import catalog
from engine.store.budget import Budget
from engine.store.errors import SegmentGoneError, told
from engine.store.key_blocks import KeyBlock, Layout, load_blocks, rooms
from engine.store.quantise import unpack
from engine.store.rewrite import segments_in_order

if TYPE_CHECKING:
    from engine.store.store import Store

ATTEMPTS = 3

Found = TypeVar("Found")


@dataclass
class RouterKeys:
    """Every live document's router keys; N documents, a document's chunks side by side.

    `blocks` hold them in document order, each in one place; `document_ids` int64 [N] and `document_starts` int64
    [N + 1], the first chunk of each, are on the CPU. `version` is the store's when they were loaded.
    """

    blocks: list[KeyBlock]
    document_ids: Tensor
    document_starts: Tensor
    tokens: int
    version: int

    @classmethod
    def load(cls, store: Store, device: str | torch.device = "cpu", budget: Budget = Budget()) -> RouterKeys:
        """Raises SegmentGoneError if writers keep rewriting segments while they are read."""
        return _retried(lambda: cls._load(store, torch.device(device), budget))

    @classmethod
    def _load(cls, store: Store, device: torch.device, budget: Budget) -> RouterKeys:
        layout, version = _layout(store)
        store.keep_segments(set(layout.files))
        with told(store.directory):
            blocks = load_blocks(store, layout, rooms(device, budget))
        starts = np.concatenate(([0], layout.n_chunks.cumsum()))
        ids = torch.from_numpy(layout.ids)
        return cls(blocks, ids, torch.from_numpy(starts), int(layout.n_tokens.sum()), version)


def _layout(store: Store) -> tuple[Layout, int]:
    """Where all live documents are, and the version: one state of the catalog."""
    with told(store.directory):
        connection = catalog.reader(store.directory)
        try:
            with catalog.snapshot(connection):
                segments = segments_in_order(connection)
                meta = catalog.read_meta(connection, store.directory)
                if meta["model_fingerprint"] != store.fingerprint:
                    raise SegmentGoneError(f"{store.directory} was encoded anew by another process; open it again.")
                ids, owners, n_chunks, n_tokens, offsets = _columns(connection, [row.id for row in segments])
                files = {row.id: row.file for row in segments}
                return Layout(ids, owners, n_chunks, n_tokens, offsets, files), int(meta["version"])
        finally:
            connection.close()


def _columns(connection: sqlite3.Connection, segment_ids: list[int]) -> np.ndarray:
    """id, segment_id, n_chunks, n_tokens and chunk_offset of live documents, segment by segment, each in file order:
    int64 [5, N]. SQLite joins a segment's column to one text, which takes a third of the time of a row a document."""
    names = ("id", "segment_id", "n_chunks", "n_tokens", "chunk_offset")
    select = f"SELECT {', '.join(f'group_concat({name})' for name in names)} FROM documents WHERE segment_id = ?"
    tables = [np.empty((len(names), 0), np.int64)]
    for segment_id in segment_ids:
        row = connection.execute(select, (segment_id,)).fetchone()
        if row[0] is not None:
            table = np.stack([np.fromstring(text, np.int64, sep=",") for text in row])
            tables.append(table[:, table[-1].argsort()])
    return np.concatenate(tables, 1)


def fetch_pooled_kv(store: Store, document_ids: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """Content keys and values of documents, in the order asked: float32 [L, C, G, D] each.

    All reads are announced to the system first, then done in file order.
    Raises SegmentGoneError if a document is no longer in memory or its segment keeps being rewritten.
    """
    return _retried(lambda: _fetch(store, document_ids))


def _retried(read: Callable[[], Found]) -> Found:
    for attempt in range(ATTEMPTS):
        try:
            return read()
        except SegmentGoneError:
            if attempt + 1 == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def _fetch(store: Store, document_ids: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    rows = store.content_places(document_ids)
    if len(rows) < len(set(document_ids)):
        raise SegmentGoneError(f"{store.directory}: a document was forgotten or replaced; reload the memory.")
    reads = []
    for document_id, n_chunks, kv_offset, segment_id, file in rows:
        segment = store.segment(segment_id, file)
        offset, size = segment.content_at(kv_offset), n_chunks * segment.sizes.content
        segment.advise(offset, size)
        reads.append((document_id, n_chunks, segment, offset, size))
    fetched = {}
    with told(store.directory):
        for document_id, n_chunks, segment, offset, size in reads:
            record = bytearray(size)
            segment.read_into(offset, memoryview(record))
            fetched[document_id] = unpack(record, n_chunks, store.shape)
    return [fetched[document_id] for document_id in document_ids]
