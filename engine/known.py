"""What a memory held of files when a run began, asked of the catalog file by file: a million sources are never loaded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.store import SourceRow, Store


class Known:
    """Sources by the path of their file. A path may have been stored under any root above it."""

    def __init__(self, store: Store):
        self._store = store
        # Ids grow: what the run itself adds is not what was known.
        self._newest = store.newest_source()
        self._roots = [Path(root) for root in store.roots()]

    def some(self, path: Path, most: int | None = None) -> list[SourceRow]:
        """At most so many sources of a file; all of them by default."""
        limit = -1 if most is None else most
        rows = (row for root, name in self._places(path) for row in self._store.sources_of(root, name, self._newest, limit))
        return list(islice(rows, most))

    def source(self, path: Path, record: str | None) -> SourceRow | None:
        rows = (self._store.source_by_identity(root, name, record) for root, name in self._places(path))
        return next((row for row in rows if row is not None and row.id <= self._newest), None)

    def ids(self, path: Path) -> list[int]:
        return [i for root, name in self._places(path) for i in self._store.source_ids(root, name, self._newest)]

    def paths(self) -> Iterator[Path]:
        """Every file that something is stored of."""
        for root, name in self._store.places(self._newest):
            yield Path(root) / name

    def _places(self, path: Path) -> Iterator[tuple[str, str]]:
        for root in self._roots:
            if path.is_relative_to(root):
                yield str(root), str(path.relative_to(root))
