"""Exceptions of graupel.

Everything derives from GraupelError, so that the service loop needs to catch
one class only. ``exit_code`` is what the command line returns.
"""


class GraupelError(Exception):
    """Base class."""

    exit_code = 1


class SettingsError(GraupelError):
    """Contradicting or unreadable settings."""

    exit_code = 20


class PacketError(GraupelError):
    """A packet that cannot be used."""

    exit_code = 30


class ChecksumMismatch(PacketError):
    """The two last bytes do not fit the rest of the packet."""

    exit_code = 31

    def __init__(self, expected, found):
        super().__init__(f"checksum {found:#06x}, expected {expected:#06x}")
        self.expected = expected
        self.found = found


class UnknownVersion(PacketError):
    """A packet of a layout this release does not know."""

    exit_code = 32


class StoreError(GraupelError):
    """The sample store refused to read or write."""

    exit_code = 40


class UplinkError(GraupelError):
    """The console could not be reached, or said no."""

    exit_code = 50


class UplinkExhausted(UplinkError):
    """All retries are used up; the batch stays in the spool."""

    exit_code = 51


class StationSilent(GraupelError):
    """A station has sent nothing for too long."""

    exit_code = 60

    def __init__(self, station, minutes):
        super().__init__(f"{station} silent for {minutes} min")
        self.station = station
        self.minutes = minutes
