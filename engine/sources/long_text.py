"""The text of a file too large to hold: it stays in the file, and slices are read as they are needed.

Only an index of where each block of characters begins is kept, so that a file of gigabytes is read, cut, encoded and
stored in some tens of megabytes.
"""

from __future__ import annotations

import codecs
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from engine.errors import SourceError
from engine.sources.files import os_reason, shown

LONG_BYTES = 8 << 20
BLOCK_CHARACTERS = 1 << 16
PART_CHARACTERS = 1 << 18
_READ_BYTES = 1 << 16


class LongText:
    """A UTF-8 file as a string that knows its length and its slices.

    Raises UnicodeDecodeError if the file is not UTF-8; SourceError if it cannot be read, or when a slice is wanted
    of a file that has changed since.
    """

    def __init__(self, path: Path):
        self._path = path
        try:
            self._file = open(path, "rb")  # noqa: SIM115 - as long as the text is wanted
        except OSError as error:
            raise SourceError(shown(path), os_reason(error)) from None
        # Documents are encoded and stored in different threads.
        self._reading = threading.Lock()
        self._seen = self._stamp()
        # The byte at which each block of BLOCK_CHARACTERS characters begins, and where the last one ends.
        self._starts, self._length = self._index()

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, wanted: slice) -> str:
        start, stop, step = wanted.indices(self._length)
        if step != 1:
            raise ValueError("a long text has no steps")
        if stop <= start:
            return ""
        first, last = start // BLOCK_CHARACTERS, -(-stop // BLOCK_CHARACTERS)
        begin, end = self._starts[first], self._starts[last]
        try:
            with self._reading:
                self._file.seek(begin)
                data = self._file.read(end - begin)
        except OSError as error:
            raise SourceError(shown(self._path), os_reason(error)) from None
        if self._stamp() != self._seen or len(data) < end - begin:
            raise SourceError(shown(self._path), "changed while it was read")
        return data.decode()[start - first * BLOCK_CHARACTERS : stop - first * BLOCK_CHARACTERS]

    def parts(self) -> Iterator[tuple[int, str]]:
        """The whole text in parts of about 250,000 characters that end at a blank line if they can: (start, part)."""
        at = 0
        while at < self._length:
            part = self[at : at + PART_CHARACTERS]
            if at + len(part) < self._length:
                end = max(part.rfind("\n\n"), part.rfind("\r\n\r\n")) + 1 or part.rfind("\n") + 1 or len(part)
                part = part[:end]
            yield at, part
            at += len(part)

    def _stamp(self) -> tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns

    def _index(self) -> tuple[list[int], int]:
        decoder = codecs.getincrementaldecoder("utf-8")()
        starts, length, at = [0], 0, 0
        while True:
            data = self._file.read(_READ_BYTES)
            text = decoder.decode(data, final=not data)
            taken = 0
            while length + len(text) - taken >= len(starts) * BLOCK_CHARACTERS:
                stop = taken + len(starts) * BLOCK_CHARACTERS - length
                at += len(text[taken:stop].encode())
                length, taken = len(starts) * BLOCK_CHARACTERS, stop
                starts.append(at)
            length, at = length + len(text) - taken, at + len(text[taken:].encode())
            if not data:
                break
        if starts[-1] < at:
            starts.append(at)
        return starts, length
