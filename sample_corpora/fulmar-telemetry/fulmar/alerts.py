"""Rules that look at what is stored and open or close alerts.

Every rule answers for one code.  Codes that begin with E are those of the
buoy; codes that begin with S exist only on shore.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .config import AlertLimits, Config
from .faults import FAULTS, Severity, by_code
from .store import Store

SILENT = "S01"
UNCALIBRATED = "S02"


@dataclass(frozen=True)
class Alert:
    """Something that a person should know about one buoy."""

    buoy: int
    code: str
    severity: Severity
    time: datetime
    text: str


class Rule(Protocol):
    """What the evaluator expects of a rule."""

    code: str

    def check(self, store: Store, buoy: int, now: datetime) -> Alert | None: ...


def _of_buoy(buoy: int, code: str, when: datetime, text: str) -> Alert:
    return Alert(buoy, code, by_code(code).severity, when, text)


class SilenceRule:
    """Nothing has been heard from a buoy for a while."""

    code = SILENT

    def __init__(self, limits: AlertLimits) -> None:
        self.after = limits.silence_after_s

    def check(self, store: Store, buoy: int, now: datetime) -> Alert | None:
        heard = store.last_heard(buoy)
        if heard is None:
            return None
        quiet = (now - heard).total_seconds()
        if quiet <= self.after:
            return None
        return Alert(buoy, SILENT, Severity.WARNING, now, f"silent for {quiet / 60:.0f} minutes")


class BatteryRule:
    """Battery voltage has been below the limit in the newest report."""

    code = "E101"

    def __init__(self, limits: AlertLimits) -> None:
        self.limit = limits.battery_low_v

    def check(self, store: Store, buoy: int, now: datetime) -> Alert | None:
        row = store.latest(buoy, "battery_v")
        if row is None or row[1] >= self.limit:
            return None
        return _of_buoy(buoy, self.code, row[0], f"battery at {row[1]:.2f} V")


class LeakRule:
    """Salt water at the bottom of the hull.

    Condensation has a low conductivity, sea water a high one; the limit lies
    between the two.
    """

    code = "E217"

    def __init__(self, limits: AlertLimits) -> None:
        self.limit = limits.bilge_limit_us_cm

    def check(self, store: Store, buoy: int, now: datetime) -> Alert | None:
        row = store.latest(buoy, "bilge_us_cm")
        if row is None or row[1] < self.limit:
            return None
        return _of_buoy(buoy, self.code, row[0], f"bilge probe at {row[1]:.1f} uS/cm")


class DampRule:
    """Humid air in the hull, which comes days or weeks before water does."""

    code = "E231"

    def __init__(self, limits: AlertLimits) -> None:
        self.limit = limits.hull_humidity_pct

    def check(self, store: Store, buoy: int, now: datetime) -> Alert | None:
        row = store.latest(buoy, "hull_humidity")
        if row is None or row[1] < self.limit:
            return None
        return _of_buoy(buoy, self.code, row[0], f"hull at {row[1]:.0f} percent humidity")


class DriftRule:
    """The newest positions all lie outside the watch circle.

    The first fix after a cold start can be off by hundreds of metres, hence
    more than one is required.
    """

    code = "E418"

    def __init__(self, config: Config) -> None:
        self.config = config
        self._outside: dict[int, tuple[datetime, int]] = {}

    def check(self, store: Store, buoy: int, now: datetime) -> Alert | None:
        station = self.config.stations.get(buoy)
        lat, lon = store.latest(buoy, "lat"), store.latest(buoy, "lon")
        if station is None or lat is None or lon is None:
            return None
        excess = station.circle(self.config.alerts).excess_m(lat[1], lon[1])
        if excess == 0:
            self._outside.pop(buoy, None)
            return None
        seen, count = self._outside.get(buoy, (None, 0))
        if seen != lat[0]:
            count += 1
            self._outside[buoy] = (lat[0], count)
        if count < self.config.alerts.off_station_fixes:
            return None
        return _of_buoy(buoy, self.code, lat[0], f"{excess:.0f} m outside the watch circle")


class FaultWordRule:
    """A bit in the fault word that no other rule covers."""

    def __init__(self, code: str) -> None:
        self.code = code

    def check(self, store: Store, buoy: int, now: datetime) -> Alert | None:
        row = store.latest(buoy, f"fault.{self.code}")
        if row is None or row[1] == 0:
            return None
        return _of_buoy(buoy, self.code, row[0], f"buoy reports {by_code(self.code).name}")


def default_rules(config: Config) -> list[Rule]:
    """The rules of a normal installation."""
    rules: list[Rule] = [
        SilenceRule(config.alerts),
        BatteryRule(config.alerts),
        LeakRule(config.alerts),
        DampRule(config.alerts),
        DriftRule(config),
    ]
    covered = {rule.code for rule in rules}
    rules += [FaultWordRule(fault.code) for fault in FAULTS if fault.code not in covered]
    return rules


class Evaluator:
    """Runs the rules and keeps the ``alerts`` table up to date."""

    def __init__(self, store: Store, rules: list[Rule]) -> None:
        self.store = store
        self.rules = rules

    def run(self, now: datetime) -> list[Alert]:
        """Evaluate every rule for every buoy; return alerts newly opened."""
        opened = []
        for buoy in self.store.buoys():
            for rule in self.rules:
                alert = rule.check(self.store, buoy, now)
                if alert is None:
                    self.store.close_alert(buoy, rule.code, now)
                elif self.store.open_alert(
                    buoy, alert.code, alert.severity, alert.time, alert.text
                ):
                    opened.append(alert)
        return opened
