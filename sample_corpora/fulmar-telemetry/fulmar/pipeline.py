"""One pass from bytes to readings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Iterable

from .calibration import CertificateBook
from .errors import CalibrationError, PayloadError
from .faults import FAULTS
from .fields import CTRaw, HeaveBurst, Met, Status, parse
from .frames import Frame, FrameType, StreamDecoder
from .quality import in_span
from .store import Store
from .waves import WaveStats, analyse

Triple = tuple[str, float | None, bool]


@dataclass
class Summary:
    """Counts of one pass."""

    stored: int = 0
    duplicates: int = 0
    bad_payloads: int = 0
    uncalibrated: set[str] = field(default_factory=set)


class Pipeline:
    """Decode, store and convert."""

    def __init__(self, store: Store, book: CertificateBook | None = None) -> None:
        self.store = store
        self.book = book
        self.decoder = StreamDecoder()
        self.summary = Summary()

    def run(self, chunks: Iterable[bytes]) -> Summary:
        for chunk in chunks:
            for frame in self.decoder.feed(chunk):
                self.handle(frame)
        return self.summary

    def handle(self, frame: Frame) -> None:
        """Store one frame and the readings that follow from it."""
        if not self.store.add_frame(frame):
            self.summary.duplicates += 1
            return
        self.summary.stored += 1
        try:
            record = parse(frame)
        except PayloadError:
            self.summary.bad_payloads += 1
            return
        if isinstance(record, Met):
            values = self._met(record)
        elif isinstance(record, Status):
            values = self._status(record)
        elif isinstance(record, CTRaw):
            values = self._ct(record, frame)
        else:
            return  # heave bursts are analysed on demand
        self.store.add_readings(frame.buoy, frame.time, values)

    @staticmethod
    def _met(met: Met) -> list[Triple]:
        names = ("wind_speed", "wind_dir", "air_temp", "humidity", "pressure")
        return [(n, getattr(met, n), not in_span(n, getattr(met, n))) for n in names]

    @staticmethod
    def _status(status: Status) -> list[Triple]:
        names = ("battery_v", "bilge_us_cm", "hull_humidity", "lat", "lon")
        values: list[Triple] = [(n, getattr(status, n), False) for n in names]
        present = {fault.code for fault in status.faults}
        values += [(f"fault.{f.code}", float(f.code in present), False) for f in FAULTS]
        return values

    def _ct(self, raw: CTRaw, frame: Frame) -> list[Triple]:
        if self.book is None:
            self.summary.uncalibrated.add(raw.serial)
            return []
        try:
            ct = self.book.apply(raw, frame.time.date())
        except CalibrationError:
            self.summary.uncalibrated.add(raw.serial)
            return []
        return [
            ("water_temp", ct.temperature, ct.suspect),
            ("conductivity", ct.conductivity, ct.suspect),
        ]


def wave_stats(store: Store, buoy: int, until: datetime, hours: float) -> WaveStats:
    """Join the heave bursts of a span of time and analyse them."""
    since = until - timedelta(hours=hours)
    samples: list[float | None] = []
    rate = 0.0
    for frame in store.frames(buoy, FrameType.HEAVE, since, until):
        burst = parse(frame)
        assert isinstance(burst, HeaveBurst)
        rate = burst.rate_hz
        samples += burst.samples
    return analyse(samples, rate or 1.0)
