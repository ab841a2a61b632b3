"""Reading sensors and deciding whether a value may be trusted."""

import statistics
import time
from dataclasses import dataclass

from .errors import ImplausibleReading, SensorError, StaleReading

# physical range of each kind of sensor
RANGES = {
    "soil_kpa": (0.0, 200.0),
    "air_c": (-30.0, 50.0),
    "room_c": (-8.0, 30.0),
    "o2": (0.0, 25.0),
    "co2": (0.0, 12.0),
}

# seconds after which a reading of that kind is stale
MAX_AGE_S = {
    "soil_kpa": 5400,
    "air_c": 900,
    "room_c": 180,
    "o2": 300,
    "co2": 300,
}

RETRIES = 4
RETRY_WAIT_S = 1.5
SPREAD_LIMIT_C = 1.1   # room probes may differ by this much


@dataclass(frozen=True)
class Reading:
    kind: str
    value: float
    taken_at: float


def check(reading, now=None):
    """Return the value of a reading, or raise why it is not usable."""
    now = time.time() if now is None else now
    low, high = RANGES[reading.kind]
    if not low <= reading.value <= high:
        raise ImplausibleReading(f"{reading.kind}={reading.value}")
    if now - reading.taken_at > MAX_AGE_S[reading.kind]:
        raise StaleReading(f"{reading.kind} is {now - reading.taken_at:.0f} s old")
    return reading.value


def read_with_retry(read_once, sleep=time.sleep):
    """Call ``read_once`` until it works; only bus errors are repeated."""
    last = None
    for attempt in range(RETRIES):
        try:
            return read_once()
        except OSError as exc:
            last = exc
            sleep(RETRY_WAIT_S * (attempt + 1))
    raise SensorError(f"no answer after {RETRIES} attempts") from last


def room_temperature(readings, now=None):
    """Median of the usable probes of one room; at least two are needed."""
    values = []
    for reading in readings:
        try:
            values.append(check(reading, now))
        except SensorError:
            continue
    if len(values) < 2:
        raise SensorError("fewer than two usable room probes")
    if max(values) - min(values) > SPREAD_LIMIT_C:
        # believe the warmest probe: spoiled fruit costs more than power
        return max(values)
    return statistics.median(values)
