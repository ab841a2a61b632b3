"""Settings of the graupel package.

All defaults live in the class ``Settings``. Four of them can be overridden by
environment variables, see ``Settings.from_env``.
"""

import os
from dataclasses import dataclass

from .errors import SettingsError

#: Sector codes as they stand on the mast plates.
SECTORS = ("NORD", "MITTE", "SUED")

#: Offset added to the radar distance because the head sits above the flange.
HEAD_OFFSET_MM = 135

#: Largest believable snow height of a station mast.
MAX_SNOW_CM = 620


@dataclass
class Settings:
    """Tunable values; times in seconds unless the name says otherwise."""

    # normal rhythm of a station, and the rhythm while an alarm is standing
    sample_interval_s: int = 600
    alarm_interval_s: int = 90
    # quiet mode around blasting masts
    quiet_minutes: int = 55
    # how long raw samples stay in the store; hourly means stay longer
    raw_keep_days: int = 540
    hourly_keep_days: int = 3650
    # uplink
    uplink_timeout_s: float = 12.0
    uplink_retries: int = 5
    uplink_backoff_s: float = 3.5
    batch_size: int = 48
    # battery levels in volts
    battery_warn_v: float = 11.9
    battery_cutoff_v: float = 11.2
    # new snow in 24 h that raises a yellow or a red alarm
    yellow_cm: float = 28.0
    red_cm: float = 47.0
    store_path: str = "/var/lib/graupel/samples.db"
    console_url: str = "https://console.steinfirn.example/ingest"

    def check(self):
        """Raise SettingsError where two values contradict each other."""
        if self.red_cm <= self.yellow_cm:
            raise SettingsError("red_cm must lie above yellow_cm")
        if self.battery_cutoff_v >= self.battery_warn_v:
            raise SettingsError("battery_cutoff_v must lie below battery_warn_v")
        if self.alarm_interval_s < 30:
            raise SettingsError("alarm_interval_s drains the battery below 30")
        if self.batch_size > 200:
            raise SettingsError("the modem buffer takes 200 packets at most")
        return self

    @classmethod
    def from_env(cls, env=None):
        """Build settings from the environment.

        GRAUPEL_STORE     path of the sample store
        GRAUPEL_CONSOLE   address that takes the batches
        GRAUPEL_RETRIES   number of uplink retries
        GRAUPEL_RED_CM    limit of the red alarm; read only if
                          GRAUPEL_ALLOW_LIMITS is "yes"
        """
        env = os.environ if env is None else env
        settings = cls()
        settings.store_path = env.get("GRAUPEL_STORE", settings.store_path)
        settings.console_url = env.get("GRAUPEL_CONSOLE", settings.console_url)
        if "GRAUPEL_RETRIES" in env:
            settings.uplink_retries = int(env["GRAUPEL_RETRIES"])
        if env.get("GRAUPEL_ALLOW_LIMITS") == "yes" and "GRAUPEL_RED_CM" in env:
            settings.red_cm = float(env["GRAUPEL_RED_CM"])
        return settings.check()
