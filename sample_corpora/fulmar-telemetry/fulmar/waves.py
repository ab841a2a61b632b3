"""Wave statistics from bursts of heave.

Zero up-crossing analysis, as printed on the data sheet: no spectra here.  The
significant wave height is the mean of the highest third of the waves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Sequence

from .errors import FulmarError
from .quality import coverage, despike, fill_gaps

MIN_WAVES = 20
MIN_COVERAGE = 0.9


class TooFewWaves(FulmarError):
    """The burst is too short, too calm or too patchy for statistics."""


@dataclass(frozen=True)
class WaveStats:
    """Summary of one record."""

    significant_height: float  # m
    mean_period: float  # s
    max_height: float  # m
    count: int


def detrend(samples: Sequence[float]) -> list[float]:
    """Remove the straight line that fits ``samples`` best."""
    n = len(samples)
    if n < 2:
        return [0.0] * n
    mean_x = (n - 1) / 2
    mean_y = math.fsum(samples) / n
    sxx = n * (n * n - 1) / 12
    sxy = math.fsum((i - mean_x) * (y - mean_y) for i, y in enumerate(samples))
    slope = sxy / sxx
    return [y - mean_y - slope * (i - mean_x) for i, y in enumerate(samples)]


def up_crossings(samples: Sequence[float]) -> list[float]:
    """Fractional indices at which the series rises through zero."""
    found = []
    for i in range(1, len(samples)):
        a, b = samples[i - 1], samples[i]
        if a < 0 <= b:
            found.append(i - 1 + a / (a - b))
    return found


def analyse(samples: Sequence[float | None], rate_hz: float) -> WaveStats:
    """Return the statistics of one record.

    Raises :class:`TooFewWaves` when less than ``MIN_COVERAGE`` of the samples
    survive despiking, or fewer than ``MIN_WAVES`` waves are found.
    """
    if rate_hz <= 0:
        raise ValueError("rate_hz must be positive")
    cleaned = fill_gaps(despike(samples))
    if coverage(cleaned) < MIN_COVERAGE:
        raise TooFewWaves(f"only {coverage(cleaned):.0%} of the record is usable")
    level = detrend([value if value is not None else 0.0 for value in cleaned])
    crossings = up_crossings(level)
    if len(crossings) - 1 < MIN_WAVES:
        raise TooFewWaves(f"{max(len(crossings) - 1, 0)} waves, need {MIN_WAVES}")
    heights = []
    for start, end in zip(crossings, crossings[1:]):
        piece = level[math.ceil(start): math.floor(end) + 1]
        heights.append(max(piece) - min(piece))
    heights.sort(reverse=True)
    third = heights[: max(1, len(heights) // 3)]
    span = (crossings[-1] - crossings[0]) / rate_hz
    return WaveStats(
        round(math.fsum(third) / len(third), 3),
        round(span / len(heights), 3),
        round(heights[0], 3),
        len(heights),
    )
