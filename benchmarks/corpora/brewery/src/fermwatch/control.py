"""The control loop: decides when the cooling valve of a tank opens."""

import logging

from .config import Settings
from .errors import CeilingExceeded, ManualModeActive, ValveBusy
from .sensors import Reading

log = logging.getLogger("fermwatch.control")


class TankController:
    """Steers one tank towards its target temperature."""

    def __init__(self, tank: str, settings: Settings, send):
        self.tank = tank
        self.settings = settings
        self._send = send
        self._closed_at = float("-inf")
        self._opened_at = None
        self._manual_since = None
        self.cold_crash = False

    def take_manual(self, now: float) -> None:
        """Hand the tank to a person."""
        self._manual_since = now
        log.warning("%s: manual mode", self.tank)

    def manual_left(self, now: float) -> float:
        """Seconds of manual mode left; 0 when the program steers."""
        if self._manual_since is None:
            return 0.0
        end = self._manual_since + self.settings.manual_mode_minutes * 60
        return max(0.0, end - now)

    def _band(self) -> float:
        s = self.settings
        return s.deadband_cold_crash if self.cold_crash else s.deadband

    def open_valve(self, now: float, force: bool = False) -> None:
        """Open the glycol valve, unless it must still rest.

        A forced opening ignores the rest period but is still logged.
        """
        rested = now - self._closed_at
        if not force and rested < self.settings.valve_rest_seconds:
            raise ValveBusy(self.tank, self.settings.valve_rest_seconds - rested)
        if self._opened_at is None:
            self._opened_at = now
            self._command("open")

    def close_valve(self, now: float) -> None:
        if self._opened_at is not None:
            self._opened_at = None
            self._closed_at = now
            self._command("close")

    def _command(self, word: str) -> None:
        if self.settings.extra.get("dry_run"):
            log.info("%s: would %s", self.tank, word)
            return
        self._send(self.tank, word)

    def step(self, reading: Reading, target: float, now: float) -> str:
        """Take one decision and return "open", "close" or "hold"."""
        if reading.temperature > self.settings.ceiling_for(self.tank):
            # Danger beats manual mode: cool first, then complain.
            self.open_valve(now, force=True)
            raise CeilingExceeded(f"{self.tank}: {reading.temperature} °C")
        if self.manual_left(now) > 0:
            raise ManualModeActive(self.tank)
        if self._opened_at is not None:
            too_long = now - self._opened_at > self.settings.valve_max_open_seconds
            if too_long or reading.temperature <= target:
                self.close_valve(now)
                return "close"
            return "hold"
        if reading.temperature > target + self._band():
            self.open_valve(now)
            return "open"
        return "hold"


def may_hand_over(reading: Reading, settings: Settings) -> bool:
    """True when beer is cold enough to go to a bright tank."""
    return reading.temperature <= settings.handover_max_temperature
