"""Keeping batches in SQLite.

The schema is created on first use.  The store knows nothing about rules;
those are in the stock module.
"""

import sqlite3
from dataclasses import dataclass
from datetime import date

SCHEMA_VERSION = 7

#: milliseconds to wait for a lock held by another process
BUSY_TIMEOUT_MS = 3200

SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
    number   TEXT PRIMARY KEY,
    item     TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    expiry   TEXT NOT NULL,
    shelf    TEXT NOT NULL DEFAULT 'Q-00'
);
CREATE INDEX IF NOT EXISTS batch_item ON batch (item, expiry);
"""


@dataclass
class Batch:
    """Goods of one item that share a batch number."""

    number: str
    item: str
    quantity: int
    expiry: date
    shelf: str = "Q-00"  # Q-00 is the quarantine shelf


class BatchStore:
    """Batches in a database file, or in memory by default."""

    def __init__(self, path=":memory:"):
        self.db = sqlite3.connect(path)
        self.db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        self.db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self.db.executescript(SCHEMA)

    def put(self, batch):
        """Insert or replace a batch."""
        self.db.execute(
            "INSERT OR REPLACE INTO batch VALUES (?, ?, ?, ?, ?)",
            (batch.number, batch.item, batch.quantity,
             batch.expiry.isoformat(), batch.shelf),
        )
        self.db.commit()

    def batches(self, item):
        """Batches of an item, the one that expires first in front."""
        rows = self.db.execute(
            "SELECT number, item, quantity, expiry, shelf FROM batch "
            "WHERE item = ? AND quantity > 0 ORDER BY expiry, number",
            (item,),
        )
        return [Batch(n, i, q, date.fromisoformat(e), s)
                for n, i, q, e, s in rows]

    def total(self, item):
        """Units on all shelves, quarantine not counted."""
        return sum(b.quantity for b in self.batches(item) if b.shelf != "Q-00")
