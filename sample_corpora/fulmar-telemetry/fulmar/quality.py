"""Quality control of series: range tests, spikes and short gaps.

The functions never change their input.  They work on lists in which ``None``
stands for a missing sample.
"""

from __future__ import annotations

import statistics
from typing import Sequence

Series = Sequence[float | None]

# Climatological spans for the sea areas in which Fulmars are moored.
SPANS: dict[str, tuple[float, float]] = {
    "wind_speed": (0.0, 60.0),
    "wind_dir": (0.0, 360.0),
    "air_temp": (-25.0, 38.0),
    "humidity": (5.0, 100.0),
    "pressure": (920.0, 1060.0),
    "water_temp": (-2.2, 26.0),
}


def in_span(name: str, value: float | None) -> bool:
    """True if ``value`` is missing or inside the span for ``name``."""
    low, high = SPANS[name]
    return value is None or low <= value <= high


def despike(series: Series, n_sigma: float = 4.5, passes: int = 2) -> list[float | None]:
    """Replace spikes by ``None``.

    A spike is a sample further than ``n_sigma`` robust standard deviations
    from the median.  The deviation is taken from the median absolute
    deviation so that the spikes do not inflate the scale by which they are
    judged.  The test is repeated ``passes`` times.
    """
    if n_sigma <= 0:
        raise ValueError("n_sigma must be positive")
    result = list(series)
    for _ in range(passes):
        present = [value for value in result if value is not None]
        if len(present) < 8:
            break
        centre = statistics.median(present)
        scale = 1.4826 * statistics.median(abs(value - centre) for value in present)
        if scale == 0:
            break
        limit = n_sigma * scale
        cleaned = [
            None if value is not None and abs(value - centre) > limit else value
            for value in result
        ]
        if cleaned == result:
            break
        result = cleaned
    return result


def fill_gaps(series: Series, max_gap: int = 3) -> list[float | None]:
    """Interpolate linearly across gaps of at most ``max_gap`` samples.

    Gaps at either end, and longer ones, stay as they are.
    """
    result = list(series)
    index = 0
    while index < len(result):
        if result[index] is not None:
            index += 1
            continue
        end = index
        while end < len(result) and result[end] is None:
            end += 1
        length = end - index
        if 0 < index and end < len(result) and length <= max_gap:
            before, after = result[index - 1], result[end]
            assert before is not None and after is not None
            for offset in range(length):
                share = (offset + 1) / (length + 1)
                result[index + offset] = before + (after - before) * share
        index = end
    return result


def coverage(series: Series) -> float:
    """Share of samples that are present, 0 for an empty series."""
    if not series:
        return 0.0
    return sum(value is not None for value in series) / len(series)
