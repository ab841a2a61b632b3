"""New segments out of old ones: the states of documents that stay are copied byte for byte, the rest is left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from engine.errors import StoreCorruptError
from engine.model.states import StateShape
from engine.store import segment as segments
from engine.store.catalog import SEGMENT_SELECT
from engine.store.records import SegmentRow
from engine.store.segment import Segment, Sizes

TARGET_TOKENS = 1_000_000
SMALL_TOKENS = TARGET_TOKENS // 4
MAX_SMALL = 8
COPY_BYTES = 4 << 20


class Held(NamedTuple):
    """A live document's place in its segment."""

    id: int
    segment_id: int
    n_chunks: int
    n_tokens: int
    chunk_offset: int
    kv_offset: int


@dataclass(frozen=True)
class Rewritten:
    """A new segment file, not in the catalog yet, and where each of its documents lies."""

    row: SegmentRow
    places: list[tuple[int, int, int, int]]  # segment id, chunk offset, kv offset, document id


def held_documents(connection: sqlite3.Connection, segment_ids: Iterable[int]) -> list[Held]:
    """Live documents of these segments, segment by segment in the order given, each in file order."""
    select = f"SELECT {', '.join(Held._fields)} FROM documents WHERE segment_id = ? ORDER BY chunk_offset"
    return [Held._make(row) for segment_id in segment_ids for row in connection.execute(select, (segment_id,))]


def segments_in_order(connection: sqlite3.Connection) -> list[SegmentRow]:
    """All segments, the one with the oldest document first; those without live documents last."""
    rows = connection.execute(
        SEGMENT_SELECT + " ORDER BY ifnull((SELECT min(id) FROM documents WHERE segment_id = segments.id), 1 << 62), id"
    )
    return [SegmentRow._make(row) for row in rows.fetchall()]


def with_dead_chunks(connection: sqlite3.Connection) -> set[int]:
    """Ids of segments that hold states of documents no longer in memory."""
    rows = connection.execute(
        "SELECT g.id FROM segments g LEFT JOIN documents d ON d.segment_id = g.id "
        "GROUP BY g.id HAVING g.n_chunks > ifnull(sum(d.n_chunks), 0)"
    )
    return {row[0] for row in rows.fetchall()}


def plan_compaction(rows: list[SegmentRow], dead: set[int]) -> list[list[SegmentRow]]:
    """Groups of segments, each to become one: those with dead chunks, and small neighbours once they are many."""
    small = [row for row in rows if row.n_tokens < SMALL_TOKENS]
    mergeable = {row.id for row in small} if len(small) > MAX_SMALL else set()
    groups: list[list[SegmentRow]] = []
    tokens = TARGET_TOKENS
    for row in rows:
        if row.id not in mergeable and row.id not in dead:
            continue
        if tokens + row.n_tokens > TARGET_TOKENS:
            groups.append([])
            tokens = 0
        groups[-1].append(row)
        tokens += row.n_tokens
    return [group for group in groups if len(group) > 1 or group[0].id in dead]


def rewrite(
    directory: Path,
    shape: StateShape,
    fingerprint: str,
    segment_id: int,
    documents: list[Held],
    old_rows: dict[int, SegmentRow],
) -> Rewritten:
    """Write segment `segment_id` with these documents, in this order; `old_rows` are the segments they lie in now.

    Raises OSError, or StoreCorruptError if an old segment does not match its checksum: a copy would hide the damage.
    No file is left behind then.
    """
    sizes = Sizes.of(shape)
    opened = {}
    for old in {held.segment_id for held in documents}:
        opened[old] = Segment(directory / old_rows[old].file, shape)
        if segments.checksum(opened[old].path) != old_rows[old].checksum:
            raise StoreCorruptError(f"{opened[old].path} is damaged: its checksum does not match the catalog.")
    n_chunks = sum(held.n_chunks for held in documents)
    name = segments.file_name(segment_id)
    digest = segments.write(
        directory / name,
        segments.header(shape, fingerprint, n_chunks),
        _copied(opened, documents, sizes),
        sizes.router(n_chunks) + n_chunks * sizes.content,
    )
    places, chunk = [], 0
    for held in documents:
        places.append((segment_id, chunk, chunk * sizes.content, held.id))
        chunk += held.n_chunks
    tokens = sum(held.n_tokens for held in documents)
    row = SegmentRow(
        segment_id, name, n_chunks, len(documents), tokens, sizes.router(n_chunks), n_chunks * sizes.content, digest
    )
    return Rewritten(row, places)


def _copied(opened: dict[int, Segment], documents: list[Held], sizes: Sizes) -> Iterator[memoryview]:
    """The data part of the new segment, piece by piece, in the order of `segment.header`."""
    runs = chunk_runs(documents)
    for layer in range(sizes.layers):
        for segment_id, chunk, count in runs:
            old = opened[segment_id]
            yield from _pieces(old, old.scales_at(layer, chunk), count * sizes.scale)
    for layer in range(sizes.layers):
        for segment_id, chunk, count in runs:
            old = opened[segment_id]
            yield from _pieces(old, old.keys_at(layer, chunk), count * sizes.key)
    for held in documents:
        old = opened[held.segment_id]
        yield from _pieces(old, old.content_at(held.kv_offset), held.n_chunks * sizes.content)


def chunk_runs(documents: Iterable[Held]) -> list[tuple[int, int, int]]:
    """(segment, first chunk, chunks): documents that lie side by side become one range to read."""
    runs: list[tuple[int, int, int]] = []
    for held in documents:
        if runs and runs[-1][0] == held.segment_id and sum(runs[-1][1:]) == held.chunk_offset:
            segment_id, first, count = runs[-1]
            runs[-1] = (segment_id, first, count + held.n_chunks)
        else:
            runs.append((held.segment_id, held.chunk_offset, held.n_chunks))
    return runs


def _pieces(old: Segment, offset: int, size: int) -> Iterator[memoryview]:
    for start in range(0, size, COPY_BYTES):
        piece = memoryview(bytearray(min(COPY_BYTES, size - start)))
        old.read_into(offset + start, piece)
        yield piece
