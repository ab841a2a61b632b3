"""Check and change timetables.

Times are seconds after midnight of the operating day; the operating day ends at
27:00, so a trip at 01:30 belongs to the day before.
"""
from dataclasses import dataclass, replace

from .config import SETTINGS
from .errors import HeadwayTooShort, LayoverTooShort, UnknownLine

LINES = {"1": "OY", "2": "OY", "4": "QL", "7": "QL", "B": "BH"}   # line -> depot
NIGHT_START = 23 * 3600
DAY_END = 27 * 3600


@dataclass(frozen=True)
class Trip:
    line: str
    vehicle: str
    depart: int
    arrive: int


def depot_of(line: str) -> str:
    """Depot code of a line; raises UnknownLine."""
    try:
        return LINES[line]
    except KeyError:
        raise UnknownLine(line) from None


def min_headway(line: str) -> int:
    """The cable car (line "B") needs a longer distance than the trams."""
    depot_of(line)
    return SETTINGS.CABLE_MIN_HEADWAY if line == "B" else SETTINGS.TRAM_MIN_HEADWAY


def min_layover(trip: Trip) -> int:
    return SETTINGS.NIGHT_LAYOVER if trip.depart >= NIGHT_START else SETTINGS.MIN_LAYOVER


def check_headways(trips: list[Trip]) -> None:
    """Raise HeadwayTooShort for the first pair that is too close."""
    last: dict[str, Trip] = {}
    for trip in sorted(trips, key=lambda t: t.depart):
        before = last.get(trip.line)
        if before and trip.depart - before.depart < min_headway(trip.line):
            raise HeadwayTooShort(f"line {trip.line}: {before.depart} and {trip.depart}")
        last[trip.line] = trip


def check_layovers(trips: list[Trip]) -> None:
    """Raise LayoverTooShort if a vehicle leaves too soon after arriving."""
    last: dict[str, Trip] = {}
    for trip in sorted(trips, key=lambda t: t.depart):
        before = last.get(trip.vehicle)
        if before and trip.depart - before.arrive < min_layover(trip):
            raise LayoverTooShort(f"vehicle {trip.vehicle} at {trip.depart}")
        last[trip.vehicle] = trip


def delay_state(planned: int, actual: int) -> str:
    """"early" from 60 seconds before plan, "late" after LATE_AFTER, else "on time"."""
    diff = actual - planned
    if diff <= -60:
        return "early"
    return "late" if diff > SETTINGS.LATE_AFTER else "on time"


def shift_trips(trips: list[Trip], line: str, seconds: int) -> list[Trip]:
    """Move all trips of one line and check the result.

    Trips that would leave after DAY_END are dropped without an error.
    """
    depot_of(line)
    moved = []
    for trip in trips:
        if trip.line == line:
            trip = replace(trip, depart=trip.depart + seconds, arrive=trip.arrive + seconds)
        if trip.depart < DAY_END:
            moved.append(trip)
    check_headways(moved)
    check_layovers(moved)
    return moved
