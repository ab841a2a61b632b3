"""Settings of the lindtram package.

All limits that the depots may ask about stand here.  Values marked "env" can be
overridden by an environment variable; everything else needs a release.
"""
import os
from dataclasses import dataclass, field
from pathlib import Path

from .errors import BadSetting


def _env_int(name: str, default: int) -> int:
    """Read a whole number from the environment, or give the default."""
    raw = os.environ.get(name)
    if raw is None or raw == "":
        return default
    try:
        return int(raw)
    except ValueError as exc:
        raise BadSetting(f"{name} must be a whole number, not {raw!r}") from exc


@dataclass(frozen=True)
class Settings:
    """Constants used by timetable, ticketing, fault desk and notifications."""

    # --- timetable (seconds unless the name says otherwise)
    TRAM_MIN_HEADWAY: int = 150
    CABLE_MIN_HEADWAY: int = 480
    MIN_LAYOVER: int = 240
    NIGHT_LAYOVER: int = 360          # trips that start at 23:00 or later
    LATE_AFTER: int = 180
    PLAN_HORIZON_DAYS: int = 42

    # --- ticket machines (money in cents)
    SINGLE_FARE: int = 260
    DAY_FARE: int = 720
    CABLE_FARE: int = 410
    BICYCLE_FARE: int = 190
    CHILD_PERCENT: int = 50
    TRANSFER_MINUTES: int = 75
    OFFLINE_SALES_MAX: int = 40       # tickets sold without a connection
    MAX_CHANGE: int = 1740            # coins given back in one sale

    # --- fault desk (minutes)
    ESCALATE_AFTER: dict = field(
        default_factory=lambda: {"A": 6, "B": 35, "C": 720})
    DUPLICATE_WINDOW: int = 25
    REOPEN_WINDOW_HOURS: int = 96

    # --- notifications
    SMS_CHARS: int = 150
    SEND_TRIES: int = 4
    FIRST_PAUSE: float = 1.5          # seconds, doubled after every failed try


def data_dir() -> Path:
    """Folder of timetables and fault files (env LMT_DATA_DIR)."""
    return Path(os.environ.get("LMT_DATA_DIR", "/srv/lindtram"))


def dry_run() -> bool:
    """True when LMT_DRY_RUN is "1": nothing is sent, messages are only logged."""
    return os.environ.get("LMT_DRY_RUN", "0") == "1"


def http_port() -> int:
    """Port of the stop displays' feed (env LMT_FEED_PORT)."""
    return _env_int("LMT_FEED_PORT", 8417)


SETTINGS = Settings()
