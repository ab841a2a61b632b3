"""Settings of orchardctl: constants, defaults and environment variables."""

import os
from dataclasses import dataclass, field

from .errors import ConfigError

TRUE_WORDS = ("1", "yes", "on")
MIN_POLL_S = 5          # the sensor bus cannot be read faster
MAX_POLL_S = 600


@dataclass
class IrrigationConfig:
    """Limits for the watering of orchard blocks."""

    start_kpa: float = 42.0        # soil tension at which watering starts
    urgent_kpa: float = 68.0       # block jumps the queue
    rain_skip_mm: float = 6.5      # forecast rain that cancels a run
    max_zone_minutes: int = 55
    min_zone_minutes: int = 8
    pause_between_zones_s: int = 20
    flow_tolerance: float = 0.15   # share of nominal flow
    daily_cap_m3: float = 180.0
    frost_stop_c: float = 1.5      # no drip irrigation below this


@dataclass
class ColdConfig:
    """Limits for the rooms at Tarn Lane."""

    setpoint_c: float = 1.2
    deadband_c: float = 0.4
    warn_c: float = 2.8
    alarm_c: float = 4.0
    freeze_guard_c: float = -0.7
    defrost_every_h: int = 8
    defrost_max_min: int = 25
    door_grace_s: int = 210
    o2_target: float = 1.8
    o2_floor: float = 1.1          # nitrogen is shut off below this
    co2_ceiling: float = 2.4


@dataclass
class Config:
    """Everything one process needs; build it with :func:`load`."""

    site: str = "TL"
    poll_s: int = 45
    mute_min: int = 12
    dry_run: bool = False
    db_path: str = "/var/lib/orchardctl/readings.db"
    alarm_url: str = ""
    irrigation: IrrigationConfig = field(default_factory=IrrigationConfig)
    cold: ColdConfig = field(default_factory=ColdConfig)


def _int(env, name, default):
    raw = env.get(name)
    if raw is None or raw == "":
        return default
    try:
        return int(raw)
    except ValueError:
        raise ConfigError(f"{name} must be a whole number, got {raw!r}")


def load(env=None):
    """Read ORCHARD_* variables over the defaults and check the result."""
    env = os.environ if env is None else env
    cfg = Config()
    cfg.site = env.get("ORCHARD_SITE", cfg.site).upper()
    cfg.poll_s = _int(env, "ORCHARD_POLL_S", cfg.poll_s)
    cfg.mute_min = _int(env, "ORCHARD_MUTE_MIN", cfg.mute_min)
    cfg.dry_run = env.get("ORCHARD_DRY_RUN", "").lower() in TRUE_WORDS
    cfg.db_path = env.get("ORCHARD_DB", cfg.db_path)
    cfg.alarm_url = env.get("ORCHARD_ALARM_URL", cfg.alarm_url)
    if not MIN_POLL_S <= cfg.poll_s <= MAX_POLL_S:
        raise ConfigError(f"poll_s out of range: {cfg.poll_s}")
    return cfg
