"""Turning plant faults and room levels into alarms for people."""

from .errors import (AtmosphereFault, CompressorLockout, DefrostOverrun,
                     PlantError)

# fault code of the CR-6 unit -> our exception
FAULTS = {
    "F03": DefrostOverrun,
    "F07": CompressorLockout,
    "F09": CompressorLockout,
    "F14": AtmosphereFault,
}

# codes that are only written down and wake nobody
QUIET = {"F02", "F11"}

CHANNELS = {
    "warn": ["tablet"],
    "alarm": ["tablet", "sms"],
    "lockout": ["tablet", "sms", "siren"],
}

ESCALATE_AFTER_MIN = 18    # unacknowledged alarms go to the deputy
MAX_SMS_PER_HOUR = 7


def raise_for_fault(code, room):
    """Raise the exception that belongs to a fault code; quiet ones pass."""
    if code in QUIET:
        return None
    raise FAULTS.get(code, PlantError)(f"room {room}: {code}")


def channels_for(exc):
    """Lockouts use the siren as well; all other plant errors do not."""
    if isinstance(exc, CompressorLockout):
        return CHANNELS["lockout"]
    return CHANNELS["alarm"]


class AlarmBook:
    """Remembers what was sent, so that repeats are muted."""

    def __init__(self, cfg):
        self.cfg = cfg
        self.last = {}
        self.sms_times = []

    def should_send(self, key, now_min):
        """False while the same alarm is muted (``cfg.mute_min``)."""
        before = self.last.get(key)
        if before is not None and now_min - before < self.cfg.mute_min:
            return False
        self.last[key] = now_min
        return True

    def sms_allowed(self, now_min):
        recent = [t for t in self.sms_times if now_min - t < 60]
        self.sms_times = recent
        if len(recent) >= MAX_SMS_PER_HOUR:
            return False
        recent.append(now_min)
        return True

    def escalate(self, raised_min, now_min, acknowledged):
        """True when the deputy has to be told."""
        return not acknowledged and now_min - raised_min >= ESCALATE_AFTER_MIN
