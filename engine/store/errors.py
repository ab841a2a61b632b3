"""The store's own error, and how errors of SQLite and the file system become one clear sentence."""

from __future__ import annotations

import errno
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import MsaError, StoreCorruptError, StoreError, StoreLockedError

NOT_A_CATALOG = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
FULL = (errno.ENOSPC, errno.EDQUOT)


class SegmentGoneError(StoreError):
    """What a reader asked for was rewritten or forgotten by a writer meanwhile; reload and ask again."""


@contextmanager
def told(directory: Path) -> Iterator[None]:
    """Turn `sqlite3` and `OSError` failures inside the block into `StoreError`s that name the memory."""
    try:
        yield
    except MsaError:
        raise
    except sqlite3.DatabaseError as error:
        raise _of_sqlite(directory, error) from error
    except (zlib.error, UnicodeDecodeError) as error:
        raise StoreCorruptError(f"{directory / 'catalog.sqlite'}: stored text is damaged ({error}).") from error
    except OSError as error:
        raise _of_system(directory, error) from error


def _of_sqlite(directory: Path, error: sqlite3.DatabaseError) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF  # extended codes keep the primary one in the low byte
    if primary in NOT_A_CATALOG:
        return StoreCorruptError(f"{directory / 'catalog.sqlite'} is damaged or no catalog of this program ({error}).")
    if primary == sqlite3.SQLITE_FULL:
        return StoreError(f"{directory}: no space left on the disk; nothing committed before was lost.")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLockedError(f"{directory}: another process keeps the catalog busy; try again when it is done.")
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StoreError(f"{directory}: the catalog cannot be opened or written ({error}); check the permissions.")
    return StoreError(f"{directory}: the catalog could not be used ({error}).")


def _of_system(directory: Path, error: OSError) -> StoreError:
    if error.errno in FULL:
        return StoreError(f"{directory}: no space left on the disk; nothing committed before was lost.")
    place = error.filename or directory
    return StoreError(f"{place}: {(error.strerror or str(error)).lower()}.")
