import pytest

from orchardctl.alarms import channels_for, raise_for_fault
from orchardctl.coldstore import Room, atmosphere_actions, cooling_wanted, defrost_due
from orchardctl.config import ColdConfig, load
from orchardctl.errors import AtmosphereFault, CompressorLockout, ConfigError

CFG = ColdConfig()


def test_open_door_stops_cooling():
    assert cooling_wanted(Room(3, 2.0), CFG)
    assert not cooling_wanted(Room(3, 2.0, door_open_s=300), CFG)


def test_no_defrost_when_warm():
    assert not defrost_due(Room(2, 3.0, hours_since_defrost=20), CFG)


def test_room_eight_has_no_atmosphere():
    assert atmosphere_actions(Room(8, 1.0, o2=0.2), CFG) == set()


def test_low_oxygen_is_a_fault():
    with pytest.raises(AtmosphereFault):
        atmosphere_actions(Room(1, 1.0, o2=0.6), CFG)


def test_lockout_sounds_siren():
    with pytest.raises(CompressorLockout) as info:
        raise_for_fault("F09", 5)
    assert "siren" in channels_for(info.value)


def test_poll_range():
    with pytest.raises(ConfigError):
        load({"ORCHARD_POLL_S": "2"})
