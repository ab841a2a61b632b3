"""Rules of the drug stock: withdrawal, expiry and reordering."""

import math
from datetime import timedelta

from .config import Config
from .errors import ExpiredBatch, NotEnoughStock, SecondSignatureMissing
from .store import BatchStore

#: items that need two signatures
CONTROLLED = {"methadone", "ketamine", "pentobarbital", "fentanyl"}

VACCINES = {"dhppi", "lepto4", "rabies", "felv"}

#: order is rounded up to whole packs of this size
PACK_SIZE = {"methadone": 10, "ketamine": 6, "rabies": 25, "meloxicam": 50}
DEFAULT_PACK = 12


class Stock:
    """Movements of goods, on top of a BatchStore."""

    def __init__(self, store=None, config=None):
        self.store = store or BatchStore()
        self.config = config or Config()

    def receive(self, batch):
        """Take a batch in.  Without a shelf it stays in quarantine."""
        self.store.put(batch)

    def withdraw(self, item, amount, today, signatures, farm=False):
        """Take units out, oldest date first; return the batch numbers.

        Controlled items need two different signatures.  On a farm one is
        enough for pentobarbital only; the second follows later.
        """
        if item in CONTROLLED:
            needed = 1 if farm and item == "pentobarbital" else 2
            if len(set(signatures)) < needed:
                raise SecondSignatureMissing(item)
        available = self.store.total(item)
        if available < amount:
            raise NotEnoughStock(item, amount, available)
        used = []
        for batch in self.store.batches(item):
            if batch.shelf == "Q-00":
                continue
            if batch.expiry < today:
                raise ExpiredBatch(batch.number)
            taken = min(amount, batch.quantity)
            batch.quantity -= taken
            amount -= taken
            self.store.put(batch)
            used.append(batch.number)
            if amount == 0:
                break
        return used

    def expiring(self, item, today):
        """Batches that deserve a warning on the morning list."""
        days = (self.config.expiry_warn_days_vaccine if item in VACCINES
                else self.config.expiry_warn_days)
        limit = today + timedelta(days=days)
        return [b for b in self.store.batches(item) if b.expiry <= limit]

    def cover_days(self, item):
        """Days of use for which an order should last."""
        if item in CONTROLLED:
            return self.config.reorder_days_controlled
        return self.config.reorder_days

    def suggest_order(self, item, daily_use):
        """Units to order, or 0.  A person confirms every suggestion."""
        wanted = daily_use * self.cover_days(item) * self.config.safety_factor
        missing = math.ceil(wanted - self.store.total(item))
        if missing <= 0:
            return 0
        pack = PACK_SIZE.get(item, DEFAULT_PACK)
        return math.ceil(missing / pack) * pack
