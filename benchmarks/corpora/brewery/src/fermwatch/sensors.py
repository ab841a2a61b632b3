"""Reading temperature and gravity from the gateway."""

import time
from dataclasses import dataclass

from .config import Settings
from .errors import ImplausibleReading, SensorError, StaleReading

# Anything outside these bounds is a broken probe, not beer.
PLAUSIBLE_TEMPERATURE = (-4.0, 45.0)
PLAUSIBLE_GRAVITY = (0.985, 1.140)


@dataclass(frozen=True)
class Reading:
    """One measurement of one tank."""

    tank: str
    temperature: float
    gravity: float
    pressure_bar: float
    taken_at: float

    def age(self, now: float) -> float:
        return now - self.taken_at


def check_plausible(reading: Reading) -> Reading:
    """Return the reading, or raise ImplausibleReading."""
    low, high = PLAUSIBLE_TEMPERATURE
    if not low <= reading.temperature <= high:
        raise ImplausibleReading(f"{reading.tank}: {reading.temperature} °C")
    low, high = PLAUSIBLE_GRAVITY
    if not low <= reading.gravity <= high:
        raise ImplausibleReading(f"{reading.tank}: gravity {reading.gravity}")
    return reading


def check_fresh(reading: Reading, settings: Settings, now: float) -> Reading:
    """Raise StaleReading if the reading is too old to steer by."""
    if reading.age(now) > settings.stale_after_seconds:
        raise StaleReading(f"{reading.tank}: {reading.age(now):.0f} s old")
    return reading


def read_tank(fetch, tank, settings, sleep=time.sleep, clock=time.time):
    """Read one tank, trying again when the gateway does not answer.

    The pause doubles after each failed try. An implausible value is
    never retried: a broken probe stays broken.
    """
    pause = settings.retry_pause_seconds
    for attempt in range(1, settings.sensor_retries + 1):
        try:
            reading = fetch(tank)
        except OSError as exc:
            if attempt == settings.sensor_retries:
                raise SensorError(f"{tank}: no answer") from exc
            sleep(pause)
            pause *= 2
            continue
        return check_fresh(check_plausible(reading), settings, clock())
    raise SensorError(f"{tank}: no tries configured")


def smooth(values, window: int = 7) -> float:
    """Median of the last few temperatures, to ignore single spikes."""
    if not values:
        raise ValueError("nothing to smooth")
    tail = sorted(values[-window:])
    return tail[len(tail) // 2]
