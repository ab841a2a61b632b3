import math

import pytest

from fulmar.quality import despike, fill_gaps
from fulmar.waves import TooFewWaves, analyse, detrend


def sine(height, period, seconds, rate):
    step = 2 * math.pi / (period * rate)
    return [height / 2 * math.sin(i * step) for i in range(int(seconds * rate))]


def test_regular_waves():
    stats = analyse(sine(2.0, 8.0, 400, 2.5), 2.5)
    assert stats.significant_height == pytest.approx(2.0, abs=0.02)
    assert stats.mean_period == pytest.approx(8.0, abs=0.02)


def test_spike_does_not_matter():
    record = sine(2.0, 8.0, 400, 2.5)
    record[333] = 40.0
    assert analyse(record, 2.5).max_height < 2.1


def test_short_record():
    with pytest.raises(TooFewWaves):
        analyse(sine(2.0, 8.0, 60, 2.5), 2.5)


def test_detrend_removes_line():
    assert max(map(abs, detrend([3 + 0.5 * i for i in range(50)]))) < 1e-9


def test_gap_limits():
    assert fill_gaps([0.0, None, None, 3.0]) == [0.0, 1.0, 2.0, 3.0]
    long = [0.0, None, None, None, None, 5.0]
    assert fill_gaps(long) == long


def test_despike_keeps_constant_series():
    assert despike([1.0] * 20) == [1.0] * 20
