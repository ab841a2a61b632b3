"""Where states live when questions are asked: router keys resident, content K/V fetched from disk per question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.store import catalog
from engine.store.errors import SegmentGoneError, told
from engine.store.quantise import raw, unpack
from engine.store.rewrite import Held, chunk_runs, held_documents, segments_in_order
from engine.store.segment import Segment

if TYPE_CHECKING:
    from engine.store.store import Store

ATTEMPTS = 3


@dataclass
class RouterKeys:
    """Every live document's router keys; C chunks, N documents, a document's chunks side by side.

    `keys` int8 [L, C, Gr * Dr]; `scales` float16 [L, C, Gr]; `chunk_document` int64 [C], the document id of a chunk;
    `document_ids` int64 [N] and `document_starts` int64 [N + 1], the first chunk of each. The last three stay on the
    CPU. `version` is the store's when they were loaded.
    """

    keys: Tensor
    scales: Tensor
    chunk_document: Tensor
    document_ids: Tensor
    document_starts: Tensor
    tokens: int
    version: int

    @classmethod
    def load(cls, store: Store, device: str | torch.device = "cpu") -> RouterKeys:
        """Read all segments' router keys straight into tensors of their final size.

        Raises SegmentGoneError if writers keep rewriting segments while they are read.
        """
        for attempt in range(ATTEMPTS):
            try:
                return cls._load(store, torch.device(device))
            except SegmentGoneError:
                if attempt + 1 == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    @classmethod
    def _load(cls, store: Store, device: torch.device) -> RouterKeys:
        files, held, version = _layout(store)
        store.keep_segments(set(files))
        shape = store.shape
        n_chunks = sum(document.n_chunks for document in held)
        width = shape.router_heads * shape.router_dim
        keys = torch.empty(shape.layers, n_chunks, width, dtype=torch.int8, device=device)
        scales = torch.empty(shape.layers, n_chunks, shape.router_heads, dtype=torch.float16, device=device)
        runs = chunk_runs(held)
        for segment_id, first, count in runs:
            segment = store.segment(segment_id, files[segment_id])
            for layer in range(shape.layers):
                segment.advise(segment.keys_at(layer, first), count * segment.sizes.key)
        position = 0
        with told(store.directory):
            for segment_id, first, count in runs:
                segment = store.segment(segment_id, files[segment_id])
                for layer in range(shape.layers):
                    here = slice(position, position + count)
                    _fill(keys[layer, here], segment, segment.keys_at(layer, first))
                    _fill(scales[layer, here], segment, segment.scales_at(layer, first))
                position += count
        ids = torch.tensor([document.id for document in held], dtype=torch.int64)
        lengths = torch.tensor([document.n_chunks for document in held], dtype=torch.int64)
        return cls(
            keys=keys,
            scales=scales,
            chunk_document=ids.repeat_interleave(lengths),
            document_ids=ids,
            document_starts=torch.cat((torch.zeros(1, dtype=torch.int64), lengths.cumsum(0))),
            tokens=sum(document.n_tokens for document in held),
            version=version,
        )


def _layout(store: Store) -> tuple[dict[int, str], list[Held], int]:
    """Segment files, live documents in loading order, and the version: one state of the catalog."""
    with told(store.directory):
        connection = catalog.reader(store.directory)
        try:
            with catalog.snapshot(connection):
                rows = segments_in_order(connection)
                meta = catalog.read_meta(connection, store.directory)
                if meta["model_fingerprint"] != store.fingerprint:
                    raise SegmentGoneError(f"{store.directory} was encoded anew by another process; open it again.")
                held = held_documents(connection, [row.id for row in rows])
                return {row.id: row.file for row in rows}, held, int(meta["version"])
        finally:
            connection.close()


def _fill(target: Tensor, segment: Segment, offset: int) -> None:
    """Read into a contiguous tensor, through a staging copy of this piece only where it is not in RAM."""
    staging = target if target.device.type == "cpu" else torch.empty_like(target, device="cpu")
    segment.read_into(offset, raw(staging))
    if staging is not target:
        target.copy_(staging)


def fetch_pooled_kv(store: Store, document_ids: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """Content keys and values of documents, in the order asked: float32 [L, C, G, D] each.

    All reads are announced to the system first, then done in file order.
    Raises SegmentGoneError if a document is no longer in memory or its segment keeps being rewritten.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _fetch(store, document_ids)
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
