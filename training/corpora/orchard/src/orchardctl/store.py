"""Keeping readings in SQLite and thinning out the old ones."""

import sqlite3

RAW_DAYS = 21          # every reading is kept this long
HOURLY_DAYS = 400      # then one mean an hour, this long
BATCH = 250            # rows written in one transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS reading (
    sensor TEXT NOT NULL, taken_at INTEGER NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (sensor, taken_at));
CREATE TABLE IF NOT EXISTS hourly (
    sensor TEXT NOT NULL, hour INTEGER NOT NULL, mean REAL NOT NULL,
    PRIMARY KEY (sensor, hour));
"""


def connect(path):
    """Open the database, creating the two tables when they are missing."""
    db = sqlite3.connect(path, timeout=9)
    db.executescript(SCHEMA)
    return db


def save(db, rows):
    """Write rows in batches; a second reading for one second wins."""
    for start in range(0, len(rows), BATCH):
        with db:
            db.executemany("INSERT OR REPLACE INTO reading VALUES (?, ?, ?)",
                           rows[start:start + BATCH])


def thin_out(db, now):
    """Fold raw readings older than RAW_DAYS into hourly means."""
    limit = now - RAW_DAYS * 86400
    with db:
        db.execute(
            "INSERT OR REPLACE INTO hourly SELECT sensor, taken_at / 3600, "
            "AVG(value) FROM reading WHERE taken_at < ? GROUP BY 1, 2", (limit,))
        db.execute("DELETE FROM reading WHERE taken_at < ?", (limit,))
        db.execute("DELETE FROM hourly WHERE hour < ?",
                   ((now - HOURLY_DAYS * 86400) // 3600,))
