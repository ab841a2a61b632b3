"""Exceptions of lindtram.

    TramError
     +-- BadSetting
     +-- TimetableError
     |    +-- HeadwayTooShort
     |    +-- LayoverTooShort
     |    +-- UnknownLine
     +-- TicketError
     |    +-- OfflineLimitReached
     |    +-- ChangeNotAvailable
     +-- FaultError
     |    +-- UnknownFaultCode
     |    +-- ReleaseRefused
     +-- DeliveryFailed
"""


class TramError(Exception):
    """Base of everything raised on purpose.  exit_code is used by the CLI."""

    exit_code = 1


class BadSetting(TramError):
    """An environment variable or file holds a value that cannot be used."""

    exit_code = 3


class TimetableError(TramError):
    exit_code = 10


class HeadwayTooShort(TimetableError):
    """Two departures of one line are too close together."""


class LayoverTooShort(TimetableError):
    """A vehicle has not enough time at the terminus."""


class UnknownLine(TimetableError):
    """The line number is not in LINES."""


class TicketError(TramError):
    exit_code = 20


class OfflineLimitReached(TicketError):
    """The machine sold too many tickets without reaching the server."""


class ChangeNotAvailable(TicketError):
    """The change is above the coin limit; the sale is refused."""


class FaultError(TramError):
    exit_code = 30


class UnknownFaultCode(FaultError):
    """No such code in FAULT_CODES."""


class ReleaseRefused(FaultError):
    """The role may not release a fault of this class."""


class DeliveryFailed(TramError):
    """A message could not be sent after all tries."""

    exit_code = 40
