"""The fault desk: take in fault reports, escalate, release.

Classes A to D are those of the safety rules in the staff handbook.
"""
from dataclasses import dataclass
from typing import Optional

from .config import SETTINGS
from .errors import FaultError, ReleaseRefused, UnknownFaultCode

# code -> (class, short text).  T: trams, W: winder of the cable car, M: machines
FAULT_CODES = {
    "T03": ("B", "door does not lock"),
    "T08": ("C", "heating weak"),
    "T11": ("A", "track brake without voltage"),
    "T19": ("B", "sander empty"),
    "W12": ("B", "gearbox oil warm"),
    "W17": ("A", "rope slip detected"),
    "W21": ("C", "winding room lamp out"),
    "W26": ("B", "brake pad worn"),
    "M02": ("C", "paper jam"),
    "M05": ("D", "coin box three quarters full"),
    "M09": ("B", "machine offline"),
}

RELEASERS = {
    "A": {"safety_officer", "beacon_chief"},
    "B": {"workshop_fitter"},
    "C": {"depot_master", "workshop_fitter"},
}

# who is told when nobody reacts in time
ESCALATE_TO = {"A": "control_room", "B": "workshop_duty", "C": "depot_master"}


@dataclass
class Fault:
    code: str
    unit: str
    minute: int
    state: str = "open"          # open, accepted, released
    count: int = 1

    @property
    def klass(self) -> str:
        return classify(self.code)


def classify(code: str) -> str:
    """Class letter of a fault code; raises UnknownFaultCode."""
    if code not in FAULT_CODES:
        raise UnknownFaultCode(code)
    return FAULT_CODES[code][0]


class FaultDesk:
    """Keeps the open faults in memory; storage.py is planned, not written."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def report(self, code: str, unit: str, minute: int) -> Fault:
        """Add a fault.  The same code on the same unit within DUPLICATE_WINDOW
        only raises the counter, except class A, which is always a new entry."""
        klass = classify(code)
        for old in self.faults:
            same = old.code == code and old.unit == unit and old.state != "released"
            if same and klass != "A" and minute - old.minute <= SETTINGS.DUPLICATE_WINDOW:
                old.count += 1
                return old
        fault = Fault(code, unit, minute)
        self.faults.append(fault)
        return fault

    def escalation(self, fault: Fault, now: int) -> Optional[str]:
        """Role to be told now, or None.  Class D is never escalated."""
        limit = SETTINGS.ESCALATE_AFTER.get(fault.klass)
        if limit is None or fault.state != "open":
            return None
        return ESCALATE_TO[fault.klass] if now - fault.minute >= limit else None

    def release(self, fault: Fault, role: str) -> None:
        """Close a fault; the role must be allowed for its class."""
        allowed = RELEASERS.get(fault.klass)
        if allowed is not None and role not in allowed:
            raise ReleaseRefused(f"{role} may not release class {fault.klass}")
        fault.state = "released"

    def reopen(self, fault: Fault, hours_since: float) -> None:
        """Reopen a released fault, only inside REOPEN_WINDOW_HOURS."""
        if fault.state != "released":
            raise FaultError("only released faults can be reopened")
        if hours_since > SETTINGS.REOPEN_WINDOW_HOURS:
            raise FaultError("too late, report a new fault")
        fault.state = "open"
