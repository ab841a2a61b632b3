"""Reading bytes, with the operating system's refusals told in plain words."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from engine.errors import SourceError

SNIFF_BYTES = 8192
_REASONS = {
    errno.ENOENT: "no such file or directory",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "is a folder",
    errno.ELOOP: "too many levels of symbolic links",
}


def os_reason(error: OSError) -> str:
    """Why the operating system refused, in lower case."""
    return _REASONS.get(error.errno or 0) or (error.strerror or str(error) or "cannot be read").lower()


def shown(path: str | os.PathLike[str]) -> str:
    """A path that can be printed and stored even when its bytes are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises SourceError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(shown(path), os_reason(error)) from None


def lines(path: Path) -> Iterator[bytes]:
    """The file's lines, one after the other, without their line feeds. Raises SourceError."""
    try:
        with open(path, "rb") as file:
            yield from (line.removesuffix(b"\n") for line in file)
    except OSError as error:
        raise SourceError(shown(path), os_reason(error)) from None


def first_bytes(path: str | Path) -> bytes:
    """The file's first bytes: enough to see what it is. Raises SourceError."""
    try:
        with open(path, "rb") as file:
            return file.read(SNIFF_BYTES)
    except OSError as error:
        raise SourceError(shown(path), os_reason(error)) from None


def file_size(path: Path) -> int:
    """The file's bytes, counted. Raises SourceError."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise SourceError(shown(path), os_reason(error)) from None


def content_hash(path: Path) -> str:
    """BLAKE2b (20 bytes, hexadecimal) of the file's bytes. Raises SourceError."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()
    except OSError as error:
        raise SourceError(shown(path), os_reason(error)) from None
