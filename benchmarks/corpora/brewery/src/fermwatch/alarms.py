"""Alarms: which error rings whom, and how often."""

import os

from .errors import (CeilingExceeded, FermwatchError, ImplausibleReading,
                     ManualModeActive, SensorError, StaleReading, StoreError,
                     ValveBusy)

CRITICAL, WARNING, INFO = "critical", "warning", "info"

# First match wins, so the narrow classes stand before the broad ones.
SEVERITY = [
    (CeilingExceeded, CRITICAL),
    (StaleReading, CRITICAL),
    (ImplausibleReading, WARNING),
    (SensorError, WARNING),
    (StoreError, WARNING),
    (ValveBusy, INFO),
    (ManualModeActive, INFO),
]
QUIET_HOURS = (23, 6)


def severity_of(error: FermwatchError) -> str:
    """Severity of an error; anything unlisted is a warning."""
    for kind, level in SEVERITY:
        if isinstance(error, kind):
            return level
    return WARNING


def is_quiet(hour: int) -> bool:
    """True in the night, when only critical alarms may ring."""
    start, end = QUIET_HOURS
    return hour >= start or hour < end


class AlarmBook:
    """Keeps track of open alarms and decides whether to ring again."""

    def __init__(self, settings, ring):
        self.settings = settings
        self._ring = ring
        self._open = {}

    def raise_alarm(self, tank, error, now, hour):
        """Ring the on-call phone if needed; return who was rung, or None."""
        level = severity_of(error)
        if level == INFO or (level == WARNING and is_quiet(hour)):
            return None
        key = (tank, type(error).__name__)
        last, count = self._open.get(key, (float("-inf"), 0))
        if now - last < self.settings.alarm_repeat_minutes * 60:
            return None
        count += 1
        self._open[key] = (now, count)
        who = "oncall"
        if count > self.settings.escalate_after_repeats:
            who = "head_brewer"
        self._ring(number_for(who), f"{level}: {tank}: {error}")
        return who

    def clear(self, tank):
        """Forget every open alarm of a tank."""
        for key in [k for k in self._open if k[0] == tank]:
            del self._open[key]


def number_for(who: str) -> str:
    """Phone number from FERMWATCH_PHONE_<WHO>; the desk if unset."""
    return os.environ.get(f"FERMWATCH_PHONE_{who.upper()}", "5512")
