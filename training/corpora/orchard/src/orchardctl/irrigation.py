"""Planning and running the watering of orchard blocks."""

from dataclasses import dataclass

from .errors import DailyCapReached, FlowMismatch

MINUTES_PER_KPA = 0.9       # found by trial on the loam of the east blocks
SANDY_FACTOR = 0.7          # sandy soil: shorter runs, more often
YOUNG_TREE_FACTOR = 1.25    # trees in their first three years


@dataclass
class Zone:
    name: str
    soil_kpa: float
    nominal_lpm: float
    sandy: bool = False
    young: bool = False


def needs_water(zone, rain_mm, air_c, cfg):
    """Decide for one zone. Frost is looked at before anything else."""
    if air_c < cfg.frost_stop_c:
        return False
    if zone.soil_kpa >= cfg.urgent_kpa:
        return True          # urgent blocks ignore the rain forecast
    if rain_mm >= cfg.rain_skip_mm:
        return False
    return zone.soil_kpa >= cfg.start_kpa


def run_minutes(zone, cfg):
    """Length of one run, held between the two limits of the settings."""
    minutes = zone.soil_kpa * MINUTES_PER_KPA
    if zone.sandy:
        minutes *= SANDY_FACTOR
    if zone.young:
        minutes *= YOUNG_TREE_FACTOR
    return int(max(cfg.min_zone_minutes, min(cfg.max_zone_minutes, minutes)))


def check_flow(zone, measured_lpm, cfg):
    """Raise if the meter is too far from the nominal flow of the valve."""
    off = abs(measured_lpm - zone.nominal_lpm) / zone.nominal_lpm
    if off > cfg.flow_tolerance:
        raise FlowMismatch(f"{zone.name}: {off:.0%} off")
    return off


def plan(zones, rain_mm, air_c, used_m3, cfg):
    """Return [(zone name, minutes)], driest first, within the daily cap.

    A zone that no longer fits is left out; if not even the first one
    fits, the cap counts as reached.
    """
    thirsty = [z for z in zones if needs_water(z, rain_mm, air_c, cfg)]
    thirsty.sort(key=lambda z: z.soil_kpa, reverse=True)
    left = cfg.daily_cap_m3 - used_m3
    result = []
    for zone in thirsty:
        minutes = run_minutes(zone, cfg)
        volume = minutes * zone.nominal_lpm / 1000
        if volume > left:
            if not result:
                raise DailyCapReached(f"{left:.1f} m3 left for {zone.name}")
            continue
        left -= volume
        result.append((zone.name, minutes))
    return result
