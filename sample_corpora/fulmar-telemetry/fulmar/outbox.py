"""Delivery of alerts with retry.

The outbox is given a transport, which is any callable that takes a list of
alerts and raises :class:`DeliveryError` when it could not pass them on.  Time
is handed in by the caller, which makes the back-off easy to test.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Callable

from .alerts import Alert
from .config import Delivery
from .errors import DeliveryError
from .faults import Severity

Transport = Callable[[list[Alert]], None]


@dataclass
class _Entry:
    alert: Alert
    attempts: int = 0
    due: float = 0.0


class Outbox:
    """Queue between the evaluator and the paging service."""

    def __init__(self, transport: Transport, settings: Delivery = Delivery()) -> None:
        self.transport = transport
        self.settings = settings
        self.dropped: list[Alert] = []
        self._minimum = Severity[settings.minimum_severity]
        self._queue: deque[_Entry] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, alert: Alert) -> bool:
        """Queue an alert; False if it is below the minimum severity."""
        if alert.severity < self._minimum:
            return False
        entry = _Entry(alert)
        if alert.severity >= Severity.CRITICAL:
            self._queue.appendleft(entry)
        else:
            self._queue.append(entry)
        return True

    def delay_after(self, attempts: int) -> float:
        """Seconds to wait after the given number of failures (doubling)."""
        delay = self.settings.first_delay_s * 2 ** (attempts - 1)
        return min(delay, self.settings.max_delay_s)

    def flush(self, now: float) -> int:
        """Send one batch of what is due; return how many were delivered.

        An alert that has failed ``max_attempts`` times is moved to
        :attr:`dropped`, except a critical one, which is tried for ever.
        """
        batch = [entry for entry in self._queue if entry.due <= now]
        batch = batch[: self.settings.batch_size]
        if not batch:
            return 0
        try:
            self.transport([entry.alert for entry in batch])
        except DeliveryError:
            for entry in batch:
                entry.attempts += 1
                entry.due = now + self.delay_after(entry.attempts)
                exhausted = entry.attempts >= self.settings.max_attempts
                if exhausted and entry.alert.severity < Severity.CRITICAL:
                    self._queue.remove(entry)
                    self.dropped.append(entry.alert)
            return 0
        for entry in batch:
            self._queue.remove(entry)
        return len(batch)
