"""Frames: the envelope in which every message of a buoy travels.

Layout, big-endian::

    sync     u16   0xF37A
    version  u8    1 (Fulmar 2, read only) or 2 (Fulmar 3)
    type     u8    see FrameType
    buoy     u16   buoy number, 1 to 9999
    seq      u16   wraps at 65535
    time     u32   seconds since 2000-01-01T00:00:00Z
    length   u8    bytes of payload
    payload  length bytes
    crc      u16   over everything between sync and crc
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Iterator

from .crc import crc16
from .errors import ChecksumError, ClockError, FrameError, UnsupportedVersion

SYNC = 0xF37A
SYNC_BYTES = struct.pack(">H", SYNC)
MAX_PAYLOAD = 240
SUPPORTED_VERSIONS = (1, 2)
EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)

# The first Fulmar went into the water in the spring of 2011; anything that
# claims to be earlier comes from a clock that lost its backup cell.
EARLIEST = datetime(2011, 3, 1, tzinfo=timezone.utc)

_HEADER = struct.Struct(">BBHHIB")
_CRC = struct.Struct(">H")
OVERHEAD = len(SYNC_BYTES) + _HEADER.size + _CRC.size


class FrameType(enum.IntEnum):
    """Kinds of payload."""

    MET = 0x01
    STATUS = 0x03
    CT = 0x04
    HEAVE = 0x05


@dataclass(frozen=True)
class Frame:
    """One message of one buoy."""

    buoy: int
    seq: int
    time: datetime
    type: int
    payload: bytes = field(repr=False)
    version: int = 2

    @property
    def key(self) -> tuple[int, int, int]:
        """Identity used to drop the duplicates that two gateways deliver."""
        return (self.buoy, self.seq, int((self.time - EPOCH).total_seconds()))


def to_seconds(when: datetime) -> int:
    """Seconds since the frame epoch for an aware ``datetime``."""
    if when.tzinfo is None:
        raise ValueError("frame times must carry a time zone")
    return int((when - EPOCH).total_seconds())


def from_seconds(seconds: int) -> datetime:
    """Turn the time field into a ``datetime``; raise ClockError if absurd."""
    when = EPOCH + timedelta(seconds=seconds)
    if when < EARLIEST:
        raise ClockError(f"frame time {when.isoformat()} is before {EARLIEST.date()}")
    return when


def encode(frame: Frame) -> bytes:
    """Return the bytes of ``frame``, sync word and checksum included."""
    if len(frame.payload) > MAX_PAYLOAD:
        raise FrameError(f"payload of {len(frame.payload)} bytes, limit {MAX_PAYLOAD}")
    if not 1 <= frame.buoy <= 9999:
        raise FrameError(f"buoy number {frame.buoy} is not between 1 and 9999")
    body = _HEADER.pack(
        frame.version,
        frame.type,
        frame.buoy,
        frame.seq & 0xFFFF,
        to_seconds(frame.time),
        len(frame.payload),
    )
    body += frame.payload
    return SYNC_BYTES + body + _CRC.pack(crc16(body))


def decode(data: bytes) -> Frame:
    """Decode exactly one frame from ``data``.

    Raises :class:`FrameError` when the length or sync word is wrong,
    :class:`UnsupportedVersion` for an unknown protocol version and
    :class:`ChecksumError` when the CRC does not match.
    """
    if len(data) < OVERHEAD:
        raise FrameError(f"{len(data)} bytes are too few for a frame")
    if data[:2] != SYNC_BYTES:
        raise FrameError(f"no sync word: {data[:2].hex()}")
    version, kind, buoy, seq, seconds, length = _HEADER.unpack_from(data, 2)
    if len(data) != OVERHEAD + length:
        raise FrameError(f"length byte says {length}, frame has {len(data) - OVERHEAD}")
    body = data[2:-2]
    (found,) = _CRC.unpack(data[-2:])
    expected = crc16(body)
    if found != expected:
        raise ChecksumError(expected, found)
    if version not in SUPPORTED_VERSIONS:
        raise UnsupportedVersion(f"protocol version {version}")
    return Frame(buoy, seq, from_seconds(seconds), kind, body[_HEADER.size:], version)


@dataclass
class DecoderStats:
    """What a decoder has seen so far."""

    frames: int = 0
    skipped_bytes: int = 0
    bad_checksums: int = 0
    rejected: int = 0


class StreamDecoder:
    """Find frames in a stream that may start anywhere and contain noise.

    A damaged frame never stops the decoder.  It moves forward by one byte,
    counts what it skipped in :attr:`stats` and looks for the next sync word.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.stats = DecoderStats()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Add bytes and yield every complete, valid frame."""
        self._buffer += data
        while True:
            start = self._buffer.find(SYNC_BYTES)
            if start < 0:
                # keep a possible first half of the sync word
                keep = 1 if self._buffer[-1:] == SYNC_BYTES[:1] else 0
                self._skip(len(self._buffer) - keep)
                return
            self._skip(start)
            if len(self._buffer) < 2 + _HEADER.size:
                return
            length = self._buffer[2 + _HEADER.size - 1]
            if length > MAX_PAYLOAD:
                self.stats.rejected += 1
                self._skip(1)
                continue
            total = OVERHEAD + length
            if len(self._buffer) < total:
                return
            try:
                frame = decode(bytes(self._buffer[:total]))
            except ChecksumError:
                self.stats.bad_checksums += 1
                self._skip(1)
            except (FrameError, ClockError):
                self.stats.rejected += 1
                self._skip(1)
            else:
                del self._buffer[:total]
                self.stats.frames += 1
                yield frame

    def _skip(self, count: int) -> None:
        if count > 0:
            del self._buffer[:count]
            self.stats.skipped_bytes += count
