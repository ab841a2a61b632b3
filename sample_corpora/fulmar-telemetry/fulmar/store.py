"""SQLite storage.

Three tables: ``frames`` keeps the raw payloads as received, ``readings`` the
values derived from them, ``alerts`` what the rules have said.  Times are
stored as whole seconds since the frame epoch.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Iterable, Iterator

from .errors import StoreError, StoreWriteError
from .frames import Frame, from_seconds, to_seconds

SCHEMA_VERSION = 5
BUSY_TIMEOUT_S = 8.0
KEEP_READINGS_DAYS = 730

_SCHEMA = """
CREATE TABLE IF NOT EXISTS frames (
    buoy INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL,
    type INTEGER NOT NULL, version INTEGER NOT NULL, payload BLOB NOT NULL,
    PRIMARY KEY (buoy, seq, time)
);
CREATE TABLE IF NOT EXISTS readings (
    buoy INTEGER NOT NULL, time INTEGER NOT NULL, name TEXT NOT NULL,
    value REAL, suspect INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (buoy, time, name)
);
CREATE TABLE IF NOT EXISTS alerts (
    id INTEGER PRIMARY KEY, buoy INTEGER NOT NULL, code TEXT NOT NULL,
    severity INTEGER NOT NULL, opened INTEGER NOT NULL, closed INTEGER,
    text TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS readings_name ON readings (buoy, name, time);
CREATE INDEX IF NOT EXISTS alerts_open ON alerts (buoy, code) WHERE closed IS NULL;
"""


class Store:
    """One database file."""

    def __init__(self, path: Path | str, verify: bool = True) -> None:
        self.verify = verify
        try:
            self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
        except sqlite3.Error as error:
            raise StoreError(f"cannot open {path}: {error}") from error
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found > SCHEMA_VERSION:
            self._db.close()
            raise StoreError(f"{path} has schema {found}, this release knows {SCHEMA_VERSION}")
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._db.commit()

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # frames ---------------------------------------------------------------

    def add_frame(self, frame: Frame) -> bool:
        """Store a frame; return False if it was already there.

        With ``verify`` on, the row is read back, and
        :class:`StoreWriteError` is raised when the payload differs.
        """
        buoy, seq, seconds = frame.key
        with self._db:
            cursor = self._db.execute(
                "INSERT OR IGNORE INTO frames VALUES (?, ?, ?, ?, ?, ?)",
                (buoy, seq, seconds, frame.type, frame.version, frame.payload),
            )
        if cursor.rowcount == 0:
            return False
        if self.verify:
            row = self._db.execute(
                "SELECT payload FROM frames WHERE buoy = ? AND seq = ? AND time = ?",
                frame.key,
            ).fetchone()
            if row is None or bytes(row[0]) != frame.payload:
                raise StoreWriteError(f"frame {frame.key} does not read back")
        return True

    def frames(self, buoy: int, kind: int, since: datetime, until: datetime) -> Iterator[Frame]:
        """Frames of one buoy and type in a half-open span of time."""
        rows = self._db.execute(
            "SELECT seq, time, type, version, payload FROM frames"
            " WHERE buoy = ? AND type = ? AND time >= ? AND time < ? ORDER BY time, seq",
            (buoy, kind, to_seconds(since), to_seconds(until)),
        )
        for seq, seconds, type_, version, payload in rows:
            yield Frame(buoy, seq, from_seconds(seconds), type_, bytes(payload), version)

    def last_heard(self, buoy: int) -> datetime | None:
        """Time of the newest frame of a buoy."""
        (seconds,) = self._db.execute(
            "SELECT max(time) FROM frames WHERE buoy = ?", (buoy,)
        ).fetchone()
        return None if seconds is None else from_seconds(seconds)

    def buoys(self) -> list[int]:
        return [row[0] for row in self._db.execute("SELECT DISTINCT buoy FROM frames ORDER BY 1")]

    # readings -------------------------------------------------------------

    def add_readings(
        self, buoy: int, when: datetime, values: Iterable[tuple[str, float | None, bool]]
    ) -> None:
        """Store ``(name, value, suspect)`` triples, replacing older ones."""
        seconds = to_seconds(when)
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?)",
                [(buoy, seconds, name, value, int(bad)) for name, value, bad in values],
            )

    def latest(self, buoy: int, name: str) -> tuple[datetime, float] | None:
        """Newest present, unsuspected value of a reading."""
        row = self._db.execute(
            "SELECT time, value FROM readings WHERE buoy = ? AND name = ?"
            " AND value IS NOT NULL AND NOT suspect ORDER BY time DESC LIMIT 1",
            (buoy, name),
        ).fetchone()
        return None if row is None else (from_seconds(row[0]), row[1])

    def prune(self, now: datetime, keep_days: int = KEEP_READINGS_DAYS, raw: bool = False) -> int:
        """Delete old readings and return how many rows went.

        Raw frames are the only thing that cannot be computed again, so they
        are left alone unless ``raw`` is set.
        """
        limit = to_seconds(now - timedelta(days=keep_days))
        with self._db:
            count = self._db.execute("DELETE FROM readings WHERE time < ?", (limit,)).rowcount
            if raw:
                count += self._db.execute("DELETE FROM frames WHERE time < ?", (limit,)).rowcount
        return count

    # alerts ---------------------------------------------------------------

    def open_alert(self, buoy: int, code: str, severity: int, when: datetime, text: str) -> bool:
        """Open an alert unless the same one is open; True if it is new."""
        row = self._db.execute(
            "SELECT id FROM alerts WHERE buoy = ? AND code = ? AND closed IS NULL", (buoy, code)
        ).fetchone()
        if row is not None:
            return False
        with self._db:
            self._db.execute(
                "INSERT INTO alerts (buoy, code, severity, opened, text) VALUES (?, ?, ?, ?, ?)",
                (buoy, code, int(severity), to_seconds(when), text),
            )
        return True

    def close_alert(self, buoy: int, code: str, when: datetime) -> bool:
        with self._db:
            return self._db.execute(
                "UPDATE alerts SET closed = ? WHERE buoy = ? AND code = ? AND closed IS NULL",
                (to_seconds(when), buoy, code),
            ).rowcount > 0

    def open_alerts(self, buoy: int | None = None) -> list[tuple[int, str, int, str]]:
        """Open alerts as ``(buoy, code, severity, text)``, worst first."""
        return self._db.execute(
            "SELECT buoy, code, severity, text FROM alerts"
            " WHERE closed IS NULL AND (?1 IS NULL OR buoy = ?1)"
            " ORDER BY severity DESC, opened",
            (buoy,),
        ).fetchall()
