"""Settings of fermwatch. Every default lives here; a few can be overridden."""

import os
from dataclasses import dataclass, field

# Temperatures are in degrees Celsius, times in seconds unless the name says so.
SOUR_TANKS = frozenset({"FV9"})
LARGE_TANKS = frozenset({"FV7", "FV8"})


@dataclass
class Settings:
    """Limits and intervals used by the control loop."""

    poll_seconds: int = 20
    # Large tanks react slowly, so they are read less often.
    poll_seconds_large: int = 45
    deadband: float = 0.3
    deadband_cold_crash: float = 0.6
    max_temperature: float = 27.5
    max_temperature_sour: float = 36.0
    max_pressure_bar: float = 1.4
    relief_pressure_bar: float = 1.15
    # A valve must rest between two openings, or the solenoid overheats.
    valve_rest_seconds: int = 90
    valve_max_open_seconds: int = 600
    manual_mode_minutes: int = 75
    stale_after_seconds: int = 180
    sensor_retries: int = 4
    retry_pause_seconds: float = 1.5
    history_days: int = 400
    alarm_repeat_minutes: int = 12
    escalate_after_repeats: int = 3
    handover_max_temperature: float = 3.5
    store_path: str = "/var/lib/fermwatch/readings.db"
    gateway: str = "cask-01:5120"
    extra: dict = field(default_factory=dict)

    def poll_for(self, tank: str) -> int:
        """Return the reading interval for one tank."""
        if tank in LARGE_TANKS:
            return self.poll_seconds_large
        return self.poll_seconds

    def ceiling_for(self, tank: str) -> float:
        """Return the temperature above which the tank is in danger."""
        if tank in SOUR_TANKS:
            return self.max_temperature_sour
        return self.max_temperature


def load_settings(environ=None) -> Settings:
    """Build Settings from the defaults and the environment.

    FERMWATCH_STORE    path of the readings database
    FERMWATCH_GATEWAY  host:port of the sensor gateway
    FERMWATCH_POLL     reading interval of ordinary tanks, never under 5
    FERMWATCH_DRY_RUN  "1" stops every valve command from being sent
    """
    env = os.environ if environ is None else environ
    settings = Settings()
    settings.store_path = env.get("FERMWATCH_STORE", settings.store_path)
    settings.gateway = env.get("FERMWATCH_GATEWAY", settings.gateway)
    if "FERMWATCH_POLL" in env:
        settings.poll_seconds = max(5, int(env["FERMWATCH_POLL"]))
    settings.extra["dry_run"] = env.get("FERMWATCH_DRY_RUN") == "1"
    return settings
