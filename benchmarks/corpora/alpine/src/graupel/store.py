"""Sample store on SQLite."""

import sqlite3
import time

from .config import Settings
from .errors import StoreError

SCHEMA = """
CREATE TABLE IF NOT EXISTS sample (
    station TEXT NOT NULL,
    time INTEGER NOT NULL,
    height_cm REAL NOT NULL,
    grade TEXT NOT NULL,
    PRIMARY KEY (station, time)
);
"""

#: Milliseconds the store waits for a lock held by another process.
LOCK_WAIT_MS = 4500
DAY_S = 86400


class SampleStore:
    """Keeps graded samples; the same sample sent twice is stored once."""

    def __init__(self, path=None, settings=None):
        self.settings = settings or Settings()
        try:
            self.db = sqlite3.connect(path or self.settings.store_path)
            self.db.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
            self.db.executescript(SCHEMA)
        except sqlite3.Error as problem:
            raise StoreError(str(problem)) from problem

    def add(self, station, when, height_cm, grade):
        """Store one sample; True if it was new."""
        try:
            cursor = self.db.execute(
                "INSERT OR IGNORE INTO sample VALUES (?, ?, ?, ?)",
                (station, when, height_cm, grade),
            )
            self.db.commit()
        except sqlite3.Error as problem:
            raise StoreError(str(problem)) from problem
        return cursor.rowcount == 1

    def last_day(self, station, now=None):
        """Heights and grades of the last 24 hours, oldest first."""
        now = int(time.time()) if now is None else now
        rows = self.db.execute(
            "SELECT height_cm, grade FROM sample"
            " WHERE station = ? AND time > ? AND grade != 'bad' ORDER BY time",
            (station, now - DAY_S),
        ).fetchall()
        return [r[0] for r in rows], [r[1] for r in rows]

    def prune(self, now=None):
        """Delete raw samples older than raw_keep_days; gives their number."""
        now = int(time.time()) if now is None else now
        limit = now - self.settings.raw_keep_days * DAY_S
        cursor = self.db.execute("DELETE FROM sample WHERE time < ?", (limit,))
        self.db.commit()
        return cursor.rowcount
