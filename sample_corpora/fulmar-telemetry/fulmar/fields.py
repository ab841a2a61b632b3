"""Payload layouts.

Raw integers are scaled here into plain units, but nothing is corrected: that
is the business of :mod:`fulmar.calibration`.  A value of all ones in an
unsigned field, or the most negative number in a signed one, means that the
sensor gave no reading and becomes ``None``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .errors import PayloadError
from .faults import Fault, faults_in
from .frames import Frame, FrameType

_MET = struct.Struct(">HHhBH")
_STATUS = struct.Struct(">HHBiiI")
_CT = struct.Struct(">8sII")
_HEAVE_HEAD = struct.Struct(">BB")

NO_U8 = 0xFF
NO_U16 = 0xFFFF
NO_I16 = -0x8000


@dataclass(frozen=True)
class Met:
    """Ten-minute means from the weather head."""

    wind_speed: float | None  # m/s
    wind_dir: float | None  # degrees true, from which the wind blows
    air_temp: float | None  # deg C
    humidity: float | None  # percent
    pressure: float | None  # hPa at the buoy, not reduced


@dataclass(frozen=True)
class Status:
    """Housekeeping, sent with every half-hourly report."""

    battery_v: float
    bilge_us_cm: float
    hull_humidity: float | None
    lat: float
    lon: float
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class CTRaw:
    """Raw counts of the conductivity and temperature probe."""

    serial: str
    temp_counts: int
    cond_counts: int


@dataclass(frozen=True)
class HeaveBurst:
    """Vertical displacement in metres at a fixed rate."""

    rate_hz: float
    part: int
    samples: tuple[float, ...]


def _need(payload: bytes, layout: struct.Struct, name: str) -> tuple:
    if len(payload) != layout.size:
        raise PayloadError(f"{name} payload has {len(payload)} bytes, not {layout.size}")
    return layout.unpack(payload)


def _scaled(raw: int, missing: int, factor: float) -> float | None:
    return None if raw == missing else round(raw * factor, 6)


def parse_met(payload: bytes) -> Met:
    speed, direction, temp, humidity, pressure = _need(payload, _MET, "met")
    return Met(
        _scaled(speed, NO_U16, 0.01),
        _scaled(direction, NO_U16, 0.1),
        _scaled(temp, NO_I16, 0.01),
        _scaled(humidity, NO_U8, 0.5),
        # 50 Pa would be too coarse; the field counts steps of 2 Pa
        _scaled(pressure, NO_U16, 0.02),
    )


def parse_status(payload: bytes) -> Status:
    millivolt, bilge, humidity, lat, lon, word = _need(payload, _STATUS, "status")
    return Status(
        millivolt / 1000,
        bilge / 10,
        _scaled(humidity, NO_U8, 0.5),
        lat / 1e7,
        lon / 1e7,
        faults_in(word),
    )


def parse_ct(payload: bytes) -> CTRaw:
    serial, temp, cond = _need(payload, _CT, "CT")
    return CTRaw(serial.rstrip(b"\0").decode("ascii"), temp, cond)


def parse_heave(payload: bytes) -> HeaveBurst:
    if len(payload) < _HEAVE_HEAD.size or len(payload) % 2:
        raise PayloadError(f"heave payload of {len(payload)} bytes")
    rate, part = _HEAVE_HEAD.unpack_from(payload)
    count = (len(payload) - _HEAVE_HEAD.size) // 2
    raw = struct.unpack_from(f">{count}h", payload, _HEAVE_HEAD.size)
    return HeaveBurst(rate / 10, part, tuple(value / 1000 for value in raw))


_PARSERS = {
    FrameType.MET: parse_met,
    FrameType.STATUS: parse_status,
    FrameType.CT: parse_ct,
    FrameType.HEAVE: parse_heave,
}


def parse(frame: Frame) -> Met | Status | CTRaw | HeaveBurst:
    """Parse the payload of ``frame`` according to its type."""
    try:
        parser = _PARSERS[FrameType(frame.type)]
    except ValueError:
        raise PayloadError(f"unknown frame type {frame.type:#04x}") from None
    return parser(frame.payload)


def pack_met(met: Met) -> bytes:
    """Inverse of :func:`parse_met`; used by the simulator and the tests."""

    def raw(value: float | None, missing: int, factor: float) -> int:
        return missing if value is None else round(value / factor)

    return _MET.pack(
        raw(met.wind_speed, NO_U16, 0.01),
        raw(met.wind_dir, NO_U16, 0.1),
        raw(met.air_temp, NO_I16, 0.01),
        raw(met.humidity, NO_U8, 0.5),
        raw(met.pressure, NO_U16, 0.02),
    )


def pack_status(status: Status) -> bytes:
    """Inverse of :func:`parse_status`."""
    word = 0
    for fault in status.faults:
        word |= 1 << fault.bit
    humidity = NO_U8 if status.hull_humidity is None else round(status.hull_humidity * 2)
    return _STATUS.pack(
        round(status.battery_v * 1000),
        round(status.bilge_us_cm * 10),
        humidity,
        round(status.lat * 1e7),
        round(status.lon * 1e7),
        word,
    )


def pack_ct(raw: CTRaw) -> bytes:
    """Inverse of :func:`parse_ct`."""
    return _CT.pack(raw.serial.encode("ascii"), raw.temp_counts, raw.cond_counts)


def pack_heave(burst: HeaveBurst) -> bytes:
    """Inverse of :func:`parse_heave`."""
    values = [round(value * 1000) for value in burst.samples]
    head = _HEAVE_HEAD.pack(round(burst.rate_hz * 10), burst.part)
    return head + struct.pack(f">{len(values)}h", *values)
