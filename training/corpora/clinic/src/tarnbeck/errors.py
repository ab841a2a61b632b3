"""Exceptions of the package.

    TarnbeckError
     +-- BookingError
     |    +-- SlotTaken
     |    +-- TooFarAhead
     |    +-- SedationClash
     +-- StockError
     |    +-- NotEnoughStock
     |    +-- ExpiredBatch
     |    +-- SecondSignatureMissing
     +-- LinkError
          +-- FrameTooLong
          +-- ChecksumMismatch
          +-- BoxSilent

Each class carries an exit code, used by the command-line tools.
"""


class TarnbeckError(Exception):
    """Base of everything raised on purpose."""

    exit_code = 1


class BookingError(TarnbeckError):
    """An appointment cannot be made."""

    exit_code = 10


class SlotTaken(BookingError):
    """The vet already has the permitted number of bookings in the slot."""


class TooFarAhead(BookingError):
    """The date lies beyond the booking horizon."""


class SedationClash(BookingError):
    """The room is still blocked after a sedated patient."""

    exit_code = 13


class StockError(TarnbeckError):
    """A movement of goods is refused."""

    exit_code = 20


class NotEnoughStock(StockError):
    """Less on the shelf than asked for."""

    def __init__(self, item, asked, available):
        super().__init__(f"{item}: asked {asked}, available {available}")
        self.item = item
        self.asked = asked
        self.available = available


class ExpiredBatch(StockError):
    """The batch is past its date."""

    exit_code = 22


class SecondSignatureMissing(StockError):
    """A controlled medicine was withdrawn by one person only."""

    exit_code = 24


class LinkError(TarnbeckError):
    """Talking to the interface box failed."""

    exit_code = 30


class FrameTooLong(LinkError):
    """A frame is larger than the box can hold."""


class ChecksumMismatch(LinkError):
    """The frame arrived damaged; the caller may retry."""

    exit_code = 33


class BoxSilent(LinkError):
    """No answer after the last retry."""

    exit_code = 35
