"""A segment: one immutable safetensors file with the states of many documents.

    router_scales  float16 [L, C, Gr]        one per router key
    router_keys    int8    [L, C, Gr * Dr]   layer by layer, so that a layer is one contiguous scan
    content_kv     uint8   [bytes]           one record per document: int8 [L, 2, C, G * D], then float16 [L, 2, C, G]

C counts the chunks of the whole segment in the router tensors, of one document in its record. Everything here
handles bytes, not tensors: rewriting a segment copies and never quantises again.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import StoreCorruptError
from engine.model.states import StateShape
from engine.store.errors import SegmentGoneError
from engine.store.records import SegmentRow

if TYPE_CHECKING:
    from engine.model.states import DocumentStates

FORMAT = "1"
SCALE_BYTES = 2
SUFFIX = ".safetensors"
TEMPORARY = ".tmp"
MAX_HEADER_BYTES = 1 << 20


@dataclass(frozen=True)
class Sizes:
    """Bytes of the parts of a segment, for one geometry of states."""

    layers: int
    key: int  # one chunk's router keys in one layer
    scale: int  # their scales
    content: int  # one chunk's K and V with scales, all layers

    @classmethod
    def of(cls, shape: StateShape) -> Sizes:
        return cls(
            layers=shape.layers,
            key=shape.router_heads * shape.router_dim,
            scale=shape.router_heads * SCALE_BYTES,
            content=shape.layers * 2 * shape.kv_heads * (shape.head_dim + SCALE_BYTES),
        )

    def router(self, n_chunks: int) -> int:
        return self.layers * n_chunks * (self.key + self.scale)


def file_name(segment_id: int) -> str:
    return f"{segment_id:08d}{SUFFIX}"


def header(shape: StateShape, fingerprint: str, n_chunks: int) -> bytes:
    """The safetensors header: its length in 8 bytes, then JSON padded to a multiple of 8."""
    sizes = Sizes.of(shape)
    tensors = (
        ("router_scales", "F16", [shape.layers, n_chunks, shape.router_heads], shape.layers * n_chunks * sizes.scale),
        ("router_keys", "I8", [shape.layers, n_chunks, sizes.key], shape.layers * n_chunks * sizes.key),
        ("content_kv", "U8", [n_chunks * sizes.content], n_chunks * sizes.content),
    )
    stamp = {"format": FORMAT, "shape": json.dumps(asdict(shape)), "fingerprint": fingerprint}
    entries: dict[str, object] = {"__metadata__": stamp}
    begin = 0
    for name, dtype, dims, size in tensors:
        entries[name] = {"dtype": dtype, "shape": dims, "data_offsets": [begin, begin + size]}
        begin += size
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def write(path: Path, head: bytes, pieces: Iterable[bytes | memoryview], size: int) -> str:
    """Write a segment so that `path` either is whole and on the disk or is not there. Returns its checksum.

    `size` is what the pieces must add up to. Raises OSError; nothing is left behind then.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    digest = hashlib.blake2b(digest_size=16)
    written = 0
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        try:
            _write_all(descriptor, head, digest)
            for piece in pieces:
                written += _write_all(descriptor, piece, digest)
            if written != size:
                raise ValueError(f"{path.name}: {written} bytes of states where the header says {size}")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
        sync_directory(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise
    return digest.hexdigest()


def write_documents(
    folder: Path, shape: StateShape, fingerprint: str, segment_id: int, documents: Sequence[DocumentStates]
) -> SegmentRow:
    """Write segment `segment_id` with the states of these documents, in this order.

    Raises OSError, or ValueError if the states do not have this shape; nothing is left behind then.
    """
    from engine.store.quantise import pack, raw

    packed = [pack(states, shape) for states in documents]
    sizes = Sizes.of(shape)
    n_chunks = sum(keys.shape[1] for keys, _, _ in packed)
    name = file_name(segment_id)

    def pieces() -> Iterator[bytes | memoryview]:
        for layer in range(shape.layers):
            yield from (raw(scales[layer]) for _, scales, _ in packed)
        for layer in range(shape.layers):
            yield from (raw(keys[layer]) for keys, _, _ in packed)
        yield from (record for _, _, record in packed)

    router, content = sizes.router(n_chunks), n_chunks * sizes.content
    digest = write(folder / name, header(shape, fingerprint, n_chunks), pieces(), router + content)
    tokens = sum(states.n_tokens for states in documents)
    return SegmentRow(segment_id, name, n_chunks, len(documents), tokens, router, content, digest)


def _write_all(descriptor: int, piece: bytes | memoryview, digest: hashlib.blake2b) -> int:
    view = memoryview(piece).cast("B")
    digest.update(view)
    done = 0
    while done < len(view):
        done += os.write(descriptor, view[done:])
    return done


def sync_directory(directory: Path) -> None:
    """Make renames and unlinks inside `directory` last through a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


class Segment:
    """An open segment file. It stays readable after a writer has unlinked it, until it is dropped.

    Raises SegmentGoneError if the file is no longer there, StoreCorruptError if it is not a segment.
    """

    def __init__(self, path: Path, shape: StateShape):
        self.path = path
        self.sizes = Sizes.of(shape)
        try:
            self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise SegmentGoneError(f"{path} was rewritten by another process; reload the memory.") from None
        # Closed when the last user drops the object: another thread may still be reading from it.
        weakref.finalize(self, os.close, self.descriptor)
        length = int.from_bytes(os.pread(self.descriptor, 8, 0), "little")
        try:
            entries = json.loads(os.pread(self.descriptor, min(length, MAX_HEADER_BYTES), 8))
            offsets = {name: 8 + length + entries[name]["data_offsets"][0] for name in _TENSORS}
            end = 8 + length + max(entries[name]["data_offsets"][1] for name in _TENSORS)
            self.n_chunks = int(entries["router_keys"]["shape"][1])
            self.metadata: dict[str, str] = entries["__metadata__"]
            stamped = StateShape(**json.loads(self.metadata["shape"]))
        except (ValueError, KeyError, TypeError, IndexError):
            raise StoreCorruptError(f"{path} is damaged: its header cannot be read.") from None
        if stamped != shape or self.metadata.get("format") != FORMAT:
            raise StoreCorruptError(f"{path} does not belong to this memory: its states have another shape.")
        if os.fstat(self.descriptor).st_size != end:
            raise StoreCorruptError(f"{path} is damaged: it should be {end} bytes long.")
        self._scales, self._keys, self._content = (offsets[name] for name in _TENSORS)
        self._view: mmap.mmap | None = None

    def scales_at(self, layer: int, chunk: int) -> int:
        """Offset in the file of the scales of `chunk`'s router keys."""
        return self._scales + (layer * self.n_chunks + chunk) * self.sizes.scale

    def keys_at(self, layer: int, chunk: int) -> int:
        """Offset in the file of `chunk`'s router keys."""
        return self._keys + (layer * self.n_chunks + chunk) * self.sizes.key

    def content_at(self, kv_offset: int) -> int:
        """Offset in the file of the record that starts at `kv_offset` of the content."""
        return self._content + kv_offset

    def advise(self, offset: int, size: int) -> None:
        """Ask the system to start reading a range now."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self.descriptor, offset, size, os.POSIX_FADV_WILLNEED)

    def map(self) -> mmap.mmap:
        """The whole file in the address space: nothing is read before it is looked at."""
        if self._view is None:
            # Private and writable, never written: torch takes no read-only buffer without a warning.
            prot = mmap.PROT_READ | mmap.PROT_WRITE
            self._view = mmap.mmap(self.descriptor, 0, flags=mmap.MAP_PRIVATE, prot=prot)
        return self._view

    def read_into(self, offset: int, target: memoryview) -> None:
        """Fill `target` (bytes) from the file. Raises StoreCorruptError if the file ends before."""
        done = 0
        while done < len(target):
            count = os.preadv(self.descriptor, [target[done:]], offset + done)
            if count == 0:
                raise StoreCorruptError(f"{self.path} is damaged: it ends too early.")
            done += count


_TENSORS = ("router_scales", "router_keys", "content_kv")
