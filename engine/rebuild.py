"""Encode a memory again with another model, from the text it holds; the old one stays until the new one is whole."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.results import IngestProgress, IngestReport
from engine.sources import SourceText
from engine.store import Store

if TYPE_CHECKING:
    from engine.model.interface import MemoryModel


def rebuild(
    store: Store, model: MemoryModel, progress: Callable[[IngestProgress], None] | None, wait: float
) -> IngestReport:
    """Raises StoreLockedError when another process writes. A kill leaves the old memory as it was."""
    raise NotImplementedError


__all__ = ["SourceText", "Store", "rebuild", "shutil", "time"]
