"""Fares and the offline behaviour of the ticket machines (model TM-9)."""
from dataclasses import dataclass, field

from .config import SETTINGS
from .errors import ChangeNotAvailable, OfflineLimitReached, TicketError

FARES = {
    "single": SETTINGS.SINGLE_FARE,
    "day": SETTINGS.DAY_FARE,
    "cable": SETTINGS.CABLE_FARE,
    "bicycle": SETTINGS.BICYCLE_FARE,
}
NO_CHILD_PRICE = {"bicycle"}
GROUP_FROM = 8            # persons
GROUP_PERCENT_OFF = 15


def round_up_to_ten(cents: int) -> int:
    """Machines hold no 1, 2 or 5 cent coins."""
    return -(-cents // 10) * 10


def price(kind: str, persons: int = 1, child: bool = False) -> int:
    """Price in cents.  Groups get a discount, but never on day tickets."""
    if kind not in FARES:
        raise TicketError(f"unknown ticket kind {kind!r}")
    if persons < 1:
        raise TicketError("at least one person")
    one = FARES[kind]
    if child and kind not in NO_CHILD_PRICE:
        one = one * SETTINGS.CHILD_PERCENT // 100
    total = one * persons
    if persons >= GROUP_FROM and kind != "day":
        total = total * (100 - GROUP_PERCENT_OFF) // 100
    return round_up_to_ten(total)


def transfer_valid(stamped_minute: int, boarding_minute: int) -> bool:
    """A single ticket allows changing trams within TRANSFER_MINUTES."""
    return 0 <= boarding_minute - stamped_minute <= SETTINGS.TRANSFER_MINUTES


@dataclass
class Machine:
    """One ticket machine.  Sales without connection are queued."""

    number: str
    online: bool = True
    queue: list = field(default_factory=list)

    def sell(self, kind: str, paid: int, persons: int = 1, child: bool = False) -> int:
        """Sell and return the change in cents."""
        due = price(kind, persons, child)
        if paid < due:
            raise TicketError(f"{due - paid} cents missing")
        change = paid - due
        if change > SETTINGS.MAX_CHANGE:
            raise ChangeNotAvailable(f"{change} cents")
        if not self.online:
            if len(self.queue) >= SETTINGS.OFFLINE_SALES_MAX:
                raise OfflineLimitReached(self.number)
            self.queue.append((kind, due))
        return change

    def reconnect(self) -> int:
        """Upload the queue; returns the number of sales sent."""
        self.online = True
        sent = len(self.queue)
        self.queue.clear()
        return sent
