"""The fault word of the status frame.

The buoy reports its faults as bits of a 32-bit word.  The table gives each
bit the code under which the manual describes it and the severity with which
the shore side treats it.  What to do about a fault is for the manual to say,
not for this file.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.IntEnum):
    """How urgently somebody has to look."""

    INFO = 10
    WARNING = 20
    CRITICAL = 30


@dataclass(frozen=True, order=True)
class Fault:
    """One row of the fault table."""

    bit: int
    code: str
    name: str
    severity: Severity


FAULTS: tuple[Fault, ...] = (
    Fault(0, "E101", "supply_low", Severity.WARNING),
    Fault(1, "E104", "charge_absent", Severity.WARNING),
    Fault(2, "E112", "pack_imbalance", Severity.WARNING),
    Fault(4, "E207", "motion_no_data", Severity.WARNING),
    Fault(5, "E209", "motion_saturated", Severity.INFO),
    Fault(6, "E217", "bilge_wet", Severity.CRITICAL),
    Fault(7, "E231", "hull_humid", Severity.WARNING),
    Fault(9, "E304", "baro_vent", Severity.WARNING),
    Fault(10, "E308", "wind_path", Severity.INFO),
    Fault(11, "E312", "ct_range", Severity.INFO),
    Fault(14, "E405", "modem_no_network", Severity.INFO),
    Fault(15, "E411", "queue_overflow", Severity.WARNING),
    Fault(16, "E418", "off_station", Severity.CRITICAL),
    Fault(17, "E423", "lantern_dark", Severity.CRITICAL),
    Fault(20, "E502", "log_medium", Severity.WARNING),
    Fault(21, "E509", "clock_lost", Severity.WARNING),
)

_BY_CODE = {fault.code: fault for fault in FAULTS}
KNOWN_BITS = sum(1 << fault.bit for fault in FAULTS)


def by_code(code: str) -> Fault:
    """Return the fault with ``code``; raise ``KeyError`` if there is none."""
    return _BY_CODE[code]


def faults_in(word: int) -> tuple[Fault, ...]:
    """Return the faults whose bits are set, in order of their bits."""
    return tuple(fault for fault in FAULTS if word >> fault.bit & 1)


def unknown_bits(word: int) -> int:
    """Bits of ``word`` that this release has no name for."""
    return word & ~KNOWN_BITS


def worst(faults: tuple[Fault, ...]) -> Severity | None:
    """The highest severity among ``faults``, or ``None`` if there are none."""
    return max((fault.severity for fault in faults), default=None)
