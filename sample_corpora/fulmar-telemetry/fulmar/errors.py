"""Exceptions raised by the package.

Every exception derives from :class:`FulmarError`.  Some carry a ``code``: the
fault code that the buoy itself, or its documentation, uses for the same
condition, so that a log line on shore can be looked up in the printed manual.
"""

from __future__ import annotations


class FulmarError(Exception):
    """Base class of all errors of this package."""

    code: str | None = None

    def __str__(self) -> str:
        text = super().__str__()
        return f"[{self.code}] {text}" if self.code else text


class FrameError(FulmarError):
    """A frame could not be built or understood."""


class ChecksumError(FrameError):
    """The CRC at the end of a frame does not match its contents."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"CRC is {found:#06x}, computed {expected:#06x}")
        self.expected = expected
        self.found = found


class UnsupportedVersion(FrameError):
    """The protocol version byte is one this release cannot read."""


class PayloadError(FrameError):
    """A payload has the wrong length for its frame type."""


class CalibrationError(FulmarError):
    """A calibration certificate is missing, malformed or unusable."""


class NoCertificate(CalibrationError, LookupError):
    """There is no certificate for the sensor in the calibration directory."""


class CertificateExpired(CalibrationError):
    """The newest certificate is older than the permitted age."""

    def __init__(self, serial: str, age_days: int, limit_days: int) -> None:
        super().__init__(
            f"certificate of {serial} is {age_days} days old, limit {limit_days}"
        )
        self.serial = serial
        self.age_days = age_days


class StoreError(FulmarError):
    """The database refused an operation."""


class StoreWriteError(StoreError):
    """A record was written but could not be read back identically."""

    code = "E502"


class ClockError(FulmarError):
    """A time stamp lies outside the span in which buoys can have existed."""

    code = "E509"


class ConfigError(FulmarError, ValueError):
    """The configuration file has an unknown key or an impossible value."""


class DeliveryError(FulmarError):
    """A notification could not be handed to its transport."""
