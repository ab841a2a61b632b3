"""One writer at a time: a lock the system releases when its holder dies, and a note that says who holds it."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from engine.errors import StoreError, StoreLockedError

LOCK = "lock"
HOLDER = "lock.json"


@contextmanager
def writer_lock(directory: Path, wait: float) -> Iterator[None]:
    """Hold the writer lock of a memory. Raises StoreLockedError, naming the holder, after `wait` seconds."""
    from filelock import FileLock, Timeout

    lock = FileLock(directory / LOCK)
    try:
        lock.acquire(timeout=max(wait, 0.0))
    except Timeout:
        raise StoreLockedError(f"{directory}: another process is writing this memory{_holder(directory)}.") from None
    except OSError as error:
        raise StoreError(f"{directory}: cannot write here ({(error.strerror or str(error)).lower()}).") from error
    try:
        _sign(directory)
        yield
    finally:
        (directory / HOLDER).unlink(missing_ok=True)
        lock.release()


def _sign(directory: Path) -> None:
    note = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
    }
    # The note only serves a message: a disk too full for it must not stop a writer that wants to forget.
    with suppress(OSError):
        (directory / HOLDER).write_text(json.dumps(note), encoding="utf-8", errors="replace")


def _holder(directory: Path) -> str:
    try:
        note = json.loads((directory / HOLDER).read_text(encoding="utf-8"))
        return f" (pid {note['pid']} on {note['host']}, since {note['started']}: {note['command']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
