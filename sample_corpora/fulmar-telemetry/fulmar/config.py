"""Configuration.

A TOML file with the sections ``[alerts]``, ``[delivery]`` and one
``[station.<number>]`` per buoy.  Unknown keys are an error: a misspelt limit
that silently keeps its default has cost us a buoy before.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .errors import ConfigError
from .geo import WatchCircle

DATA_DIR_VARIABLE = "FULMAR_DATA"
DEFAULT_DATA_DIR = Path("/var/lib/fulmar")
REPORT_INTERVAL_S = 1800


@dataclass(frozen=True)
class AlertLimits:
    """Limits used by the alert rules."""

    #: seconds without any frame before a buoy is reported as silent
    silence_after_s: int = 5400
    #: volts; the controller sheds the weather head a little below this
    battery_low_v: float = 11.6
    #: microsiemens per centimetre at the bilge probe
    bilge_limit_us_cm: float = 35.0
    #: percent relative humidity inside the hull
    hull_humidity_pct: float = 62.0
    #: metres, for stations that do not set their own radius
    watch_radius_m: float = 275.0
    #: consecutive positions outside the circle before anybody is woken
    off_station_fixes: int = 2


@dataclass(frozen=True)
class Delivery:
    """How alerts reach people."""

    batch_size: int = 16
    max_attempts: int = 7
    first_delay_s: float = 20.0
    max_delay_s: float = 1800.0
    minimum_severity: str = "WARNING"


@dataclass(frozen=True)
class Station:
    """One mooring."""

    buoy: int
    name: str
    lat: float
    lon: float
    watch_radius_m: float | None = None

    def circle(self, limits: AlertLimits) -> WatchCircle:
        return WatchCircle(self.lat, self.lon, self.watch_radius_m or limits.watch_radius_m)


@dataclass(frozen=True)
class Config:
    """Everything a run needs to know."""

    alerts: AlertLimits = AlertLimits()
    delivery: Delivery = Delivery()
    stations: dict[int, Station] = field(default_factory=dict)
    calibration_dir: Path | None = None


def data_dir() -> Path:
    """Directory of the database; the environment overrides the default."""
    return Path(os.environ.get(DATA_DIR_VARIABLE) or DEFAULT_DATA_DIR)


def _build(kind: type, table: dict[str, Any], where: str, **extra: Any) -> Any:
    known = {item.name for item in fields(kind)} - set(extra)
    unknown = sorted(set(table) - known)
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}")
    try:
        return kind(**extra, **table)
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from error


def parse(text: str) -> Config:
    """Read a configuration from TOML text."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(error)) from error
    limits = _build(AlertLimits, data.pop("alerts", {}), "[alerts]")
    delivery = _build(Delivery, data.pop("delivery", {}), "[delivery]")
    if limits.silence_after_s < REPORT_INTERVAL_S:
        raise ConfigError(f"silence_after_s is shorter than one report ({REPORT_INTERVAL_S} s)")
    if not 1 <= delivery.batch_size <= 100:
        raise ConfigError(f"batch_size {delivery.batch_size} is not between 1 and 100")
    stations = {}
    for key, table in data.pop("station", {}).items():
        if not key.isdigit():
            raise ConfigError(f"[station.{key}]: not a buoy number")
        stations[int(key)] = _build(Station, table, f"[station.{key}]", buoy=int(key))
    directory = data.pop("calibration_dir", None)
    if data:
        raise ConfigError(f"unknown key {sorted(data)[0]!r}")
    return Config(limits, delivery, stations, Path(directory) if directory else None)


def load(path: Path | None) -> Config:
    """Read a file, or return the defaults if ``path`` is None."""
    return Config() if path is None else parse(path.read_text(encoding="utf-8"))
