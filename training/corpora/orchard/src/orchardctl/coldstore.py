"""Control of the cold rooms: cooling, defrost, doors and atmosphere."""

from dataclasses import dataclass

from .errors import AtmosphereFault, DefrostOverrun

# rooms without controlled atmosphere
PLAIN_ROOMS = {8}
PRECOOL_STEP_C = 0.5        # per hour, so that fruit does not sweat
SCRUBBER_HYSTERESIS = 0.3   # per cent of carbon dioxide


@dataclass
class Room:
    number: int
    temp_c: float
    o2: float = 20.9
    co2: float = 0.04
    cooling: bool = False
    door_open_s: int = 0
    hours_since_defrost: float = 0.0
    scrubbing: bool = False


def cooling_wanted(room, cfg):
    """Two-point control with a dead band and a guard against freezing."""
    if room.temp_c <= cfg.freeze_guard_c:
        return False
    if room.door_open_s > cfg.door_grace_s:
        return False         # do not cool the corridor
    if room.temp_c >= cfg.setpoint_c + cfg.deadband_c:
        return True
    if room.temp_c <= cfg.setpoint_c - cfg.deadband_c:
        return False
    return room.cooling


def level(room, cfg):
    """'ok', 'warn' or 'alarm' for the temperature of a room."""
    if room.temp_c >= cfg.alarm_c or room.temp_c <= cfg.freeze_guard_c:
        return "alarm"
    if room.temp_c >= cfg.warn_c:
        return "warn"
    return "ok"


def defrost_due(room, cfg):
    """Defrost by the clock, but never in a room that is already warm."""
    if room.temp_c >= cfg.warn_c:
        return False
    return room.hours_since_defrost >= cfg.defrost_every_h


def check_defrost(room, minutes, cfg):
    if minutes > cfg.defrost_max_min:
        raise DefrostOverrun(f"room {room.number}: {minutes} min")


def atmosphere_actions(room, cfg):
    """Return the set of machines to run: 'nitrogen', 'scrubber', 'air'."""
    if room.number in PLAIN_ROOMS:
        return set()
    if room.o2 < cfg.o2_floor - 0.4:
        raise AtmosphereFault(f"room {room.number}: oxygen {room.o2} %")
    actions = set()
    if room.o2 < cfg.o2_floor:
        actions.add("air")
    elif room.o2 > cfg.o2_target:
        actions.add("nitrogen")
    start = cfg.co2_ceiling
    if room.scrubbing:
        start -= SCRUBBER_HYSTERESIS
    if room.co2 > start:
        actions.add("scrubber")
    return actions
