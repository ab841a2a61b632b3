"""Router keys in blocks, each in one place: on a GPU, in RAM, or mapped from the segment files and read as scanned."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from engine.store.budget import Budget
from engine.store.quantise import raw

if TYPE_CHECKING:
    from engine.store.segment import Segment
    from engine.store.store import Store

logger = logging.getLogger(__name__)


@dataclass
class KeyBlock:
    """Router keys of `documents` documents from the memory's number `first` on; C chunks.

    `keys` int8 [L, C, Gr * Dr]; `scales` float16 [L, C, Gr]; `chunk_document` int64 [C] counts documents from 0 inside
    the block. `place` is "GPU", "RAM" or "disk".
    """

    place: str
    first: int
    documents: int
    keys: Tensor
    scales: Tensor
    chunk_document: Tensor

    def to_ram(self) -> KeyBlock:
        cpu = (t.cpu() for t in (self.keys, self.scales, self.chunk_document))
        return KeyBlock("RAM", self.first, self.documents, *cpu)

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.scales.nbytes


@dataclass(frozen=True)
class Layout:
    """Live documents in loading order, int64 [N] each, and the files of their segments."""

    ids: np.ndarray
    segments: np.ndarray
    n_chunks: np.ndarray
    n_tokens: np.ndarray
    offsets: np.ndarray
    files: dict[int, str]

    def runs(self, first: int, stop: int) -> list[tuple[int, int, int, int]]:
        """Documents [first, stop) as ranges of chunks side by side: (segment, first chunk, chunks, documents)."""
        if first == stop:
            return []
        segments, offsets, chunks = (a[first:stop] for a in (self.segments, self.offsets, self.n_chunks))
        broken = (segments[1:] != segments[:-1]) | (offsets[1:] != offsets[:-1] + chunks[:-1])
        begins = np.concatenate(([0], np.flatnonzero(broken) + 1))
        counts = np.add.reduceat(chunks, begins)
        documents = np.diff(np.append(begins, stop - first))
        columns = (segments[begins], offsets[begins], counts, documents)
        return list(zip(*(c.tolist() for c in columns), strict=True))


def rooms(device: torch.device, budget: Budget) -> list[tuple[torch.device, int]]:
    """Where keys may be held and how many bytes there: the GPU asked for (all of them for "cuda"), then RAM."""
    gpus: list[torch.device] = []
    if device.type == "cuda":
        numbers = range(torch.cuda.device_count()) if device.index is None else [device.index]
        gpus = [torch.device("cuda", i) for i in numbers]
    held = [(gpu, budget.gpu_room(torch.cuda.mem_get_info(gpu)[0])) for gpu in gpus]
    return [*held, (torch.device("cpu"), budget.ram_room())]


def load_blocks(store: Store, layout: Layout, held: list[tuple[torch.device, int]]) -> list[KeyBlock]:
    """Blocks in document order: each room takes as many documents as fit it, the rest is mapped."""
    shape = store.shape
    taken = np.concatenate(([0], layout.n_chunks.cumsum())) * shape.layers * shape.router_heads * (shape.router_dim + 2)
    blocks: list[KeyBlock] = []
    first = 0
    for device, room in held:
        stop = int(np.searchsorted(taken, taken[first] + room, "right")) - 1
        if stop > first:
            try:
                blocks.append(_read(store, layout, first, stop, device))
                first = stop
            except torch.OutOfMemoryError:
                logger.warning("%s has no room for its router keys; the next place takes them", device)
    for segment_id, chunk, count, documents in layout.runs(first, len(layout.ids)):
        segment = store.segment(segment_id, layout.files[segment_id])
        keys, scales = mapped(segment, shape.layers, shape.router_heads)
        here = slice(chunk, chunk + count)
        owners = _owners(layout, first, first + documents)
        blocks.append(KeyBlock("disk", first, documents, keys[:, here], scales[:, here], owners))
        first += documents
    return blocks or [_read(store, layout, 0, 0, torch.device("cpu"))]


def mapped(segment: Segment, layers: int, heads: int) -> tuple[Tensor, Tensor]:
    """A segment's router keys int8 [L, C, Gr * Dr] and scales float16 [L, C, Gr], as the file is mapped."""
    view = segment.map()
    n = segment.n_chunks
    sizes = segment.sizes
    keys = torch.frombuffer(view, dtype=torch.int8, count=layers * n * sizes.key, offset=segment.keys_at(0, 0))
    scales = torch.frombuffer(view, dtype=torch.float16, count=layers * n * heads, offset=segment.scales_at(0, 0))
    return keys.view(layers, n, sizes.key), scales.view(layers, n, heads)


def _read(store: Store, layout: Layout, first: int, stop: int, device: torch.device) -> KeyBlock:
    """Read documents [first, stop) straight into tensors of their final size."""
    shape = store.shape
    n_chunks = int(layout.n_chunks[first:stop].sum())
    keys = torch.empty(shape.layers, n_chunks, shape.router_heads * shape.router_dim, dtype=torch.int8, device=device)
    scales = torch.empty(shape.layers, n_chunks, shape.router_heads, dtype=torch.float16, device=device)
    runs = layout.runs(first, stop)
    for segment_id, chunk, count, _ in runs:
        segment = store.segment(segment_id, layout.files[segment_id])
        for layer in range(shape.layers):
            segment.advise(segment.keys_at(layer, chunk), count * segment.sizes.key)
    position = 0
    for segment_id, chunk, count, _ in runs:
        segment = store.segment(segment_id, layout.files[segment_id])
        for layer in range(shape.layers):
            here = slice(position, position + count)
            _fill(keys[layer, here], segment, segment.keys_at(layer, chunk))
            _fill(scales[layer, here], segment, segment.scales_at(layer, chunk))
        position += count
    place = "RAM" if device.type == "cpu" else "GPU"
    return KeyBlock(place, first, stop - first, keys, scales, _owners(layout, first, stop).to(device))


def _owners(layout: Layout, first: int, stop: int) -> Tensor:
    return torch.from_numpy(np.repeat(np.arange(stop - first), layout.n_chunks[first:stop]))


def _fill(target: Tensor, segment: Segment, offset: int) -> None:
    """Read into a contiguous tensor, through a staging copy of this piece only where it is not in RAM."""
    staging = target if target.device.type == "cpu" else torch.empty_like(target, device="cpu")
    segment.read_into(offset, raw(staging))
    if staging is not target:
        target.copy_(staging)
