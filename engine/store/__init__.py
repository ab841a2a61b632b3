"""The store: a SQLite catalog and immutable segment files. Importing it needs neither torch nor numpy.

Tensors come from `engine.store.tiers` (`RouterKeys`, `fetch_pooled_kv`).
"""

from engine.store.errors import SegmentGoneError
from engine.store.records import DocumentRow, NewDocument, NewSource, SourceRow, page_of
from engine.store.store import Store
from engine.store.writer import Writer

__all__ = ["DocumentRow", "NewDocument", "NewSource", "SegmentGoneError", "SourceRow", "Store", "Writer", "page_of"]
