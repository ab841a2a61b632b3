"""Readings database (SQLite)."""

import sqlite3

from .errors import StoreError
from .sensors import Reading

SCHEMA_VERSION = 6
BATCH_SIZE = 48
BUSY_TIMEOUT_MS = 2500


class ReadingStore:
    """Writes readings in batches and throws away old ones."""

    def __init__(self, settings):
        self.settings = settings
        self._pending = []
        try:
            self._db = sqlite3.connect(settings.store_path)
            self._db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS reading (tank TEXT, temperature REAL,"
                " gravity REAL, pressure REAL, taken_at REAL)")
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.Error as exc:
            raise StoreError("cannot open store") from exc

    def add(self, reading: Reading) -> None:
        """Queue a reading; the queue is written when it is full."""
        self._pending.append(reading)
        if len(self._pending) >= BATCH_SIZE:
            self.flush()

    def flush(self) -> int:
        """Write what is queued and return how many rows were written."""
        rows = [(r.tank, r.temperature, r.gravity, r.pressure_bar, r.taken_at)
                for r in self._pending]
        try:
            with self._db:
                self._db.executemany("INSERT INTO reading VALUES (?,?,?,?,?)", rows)
        except sqlite3.Error as exc:
            raise StoreError("cannot write readings") from exc
        self._pending.clear()
        return len(rows)

    def prune(self, now: float) -> int:
        """Delete readings older than the history; monthly sums are kept elsewhere."""
        limit = now - self.settings.history_days * 86400
        with self._db:
            cursor = self._db.execute("DELETE FROM reading WHERE taken_at < ?", (limit,))
        return cursor.rowcount
