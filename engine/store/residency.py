"""How much of a file the system holds in RAM (its page cache). Linux and other systems with mincore; else 0."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path

PAGE = mmap.PAGESIZE


def resident_bytes(path: Path, size: int) -> int:
    """Bytes of the last `size` bytes of the file that are in RAM, to whole pages; 0 where it cannot be told."""
    try:
        mincore = ctypes.CDLL(None, use_errno=True).mincore
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=_WRITABLE) as view:
            pages = -(-len(view) // PAGE)
            held = (ctypes.c_ubyte * pages)()
            start = ctypes.addressof(ctypes.c_char.from_buffer(view))
            failed = mincore(ctypes.c_void_p(start), ctypes.c_size_t(len(view)), held)
            first = max(0, len(view) - size) // PAGE
            return 0 if failed else min(size, PAGE * sum(page & 1 for page in held[first:]))
    except (OSError, ValueError, AttributeError, BufferError):
        return 0


# A private writable view, never written: ctypes takes no address of a read-only buffer.
_WRITABLE = mmap.PROT_READ | mmap.PROT_WRITE
