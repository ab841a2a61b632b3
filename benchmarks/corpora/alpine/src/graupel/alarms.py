"""Decides on alarms from a series of snow heights.

The order of the levels is none < yellow < red. A wind factor is applied for
stations in the lee, where less snow is already dangerous.
"""

from dataclasses import dataclass

from .config import Settings
from .errors import StationSilent
from .quality import smooth, usable

LEVELS = ("none", "yellow", "red")

#: Minutes of silence after which a station counts as silent.
SILENT_AFTER_MIN = 75
#: In quiet mode a station may be silent for longer.
SILENT_AFTER_QUIET_MIN = 130
#: Limits are multiplied with this for stations in the lee.
LEE_FACTOR = 0.85
#: An alarm is held for at least this long before it can fall.
HOLD_HOURS = 6
#: A rise of the temperature over this in 3 h lifts yellow to red.
WARMING_C = 9.5


@dataclass
class Verdict:
    """Outcome of a judgement, with the reason in words."""

    station: str
    level: str
    new_snow_cm: float
    reason: str


def limits(settings, lee=False):
    """Yellow and red limit in cm of new snow within 24 hours."""
    factor = LEE_FACTOR if lee else 1.0
    return settings.yellow_cm * factor, settings.red_cm * factor


def check_alive(station, minutes, quiet=False):
    """Raise StationSilent if ``minutes`` exceeds what is allowed."""
    allowed = SILENT_AFTER_QUIET_MIN if quiet else SILENT_AFTER_MIN
    if minutes > allowed:
        raise StationSilent(station, minutes)


def judge(station, heights, grades, warming_c=0.0, lee=False, settings=None):
    """Judge the last 24 hours of one station."""
    settings = settings or Settings()
    if not heights:
        return Verdict(station, "none", 0.0, "no data")
    smoothed = smooth(heights)
    new_snow = smoothed[-1] - min(smoothed)
    yellow, red = limits(settings, lee)
    if new_snow >= red:
        level, reason = "red", "new snow"
    elif new_snow >= yellow:
        level, reason = "yellow", "new snow"
        if warming_c > WARMING_C:
            level, reason = "red", "warming"
    else:
        level, reason = "none", "below limits"
    if level == "red" and not usable(grades):
        # doubtful data never closes a road by itself
        level, reason = "yellow", "data not usable"
    return Verdict(station, level, new_snow, reason)


def may_fall(hours_standing):
    """True if an alarm has stood long enough to be lowered."""
    return hours_standing >= HOLD_HOURS


def merge(verdicts):
    """Sector level: the highest level that two stations or more have reached."""
    ranks = sorted((LEVELS.index(v.level) for v in verdicts), reverse=True)
    if len(ranks) < 2:
        return "none"
    return LEVELS[ranks[1]]
