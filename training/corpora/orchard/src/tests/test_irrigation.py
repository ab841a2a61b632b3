import pytest

from orchardctl.config import IrrigationConfig
from orchardctl.errors import DailyCapReached, FlowMismatch
from orchardctl.irrigation import Zone, check_flow, needs_water, plan, run_minutes

CFG = IrrigationConfig()


def test_urgent_block_ignores_rain():
    assert needs_water(Zone("E4", 70, 90), rain_mm=12, air_c=14, cfg=CFG)
    assert not needs_water(Zone("E4", 50, 90), rain_mm=12, air_c=14, cfg=CFG)


def test_frost_beats_urgency():
    assert not needs_water(Zone("E4", 90, 90), rain_mm=0, air_c=1.0, cfg=CFG)


def test_run_is_capped():
    assert run_minutes(Zone("W1", 150, 90), CFG) == 55


def test_flow():
    with pytest.raises(FlowMismatch):
        check_flow(Zone("W1", 50, 100), 80, CFG)


def test_cap():
    with pytest.raises(DailyCapReached):
        plan([Zone("W1", 60, 100)], 0, 15, used_m3=179, cfg=CFG)
