"""Packets sent by a GS-4 station.

Layout 2, 16 bytes, big endian:

    0      layout version
    1      sector (0 Nord, 1 Mitte, 2 Sued)
    2-3    station number
    4-7    seconds since 1 January 2020
    8-9    radar distance in mm
    10-11  temperature in hundredths of a degree, signed
    12     battery, in tenths of a volt
    13     flags
    14-15  checksum
"""

import struct
from dataclasses import dataclass

from .config import HEAD_OFFSET_MM, SECTORS
from .errors import ChecksumMismatch, PacketError, UnknownVersion

LAYOUT = 2
PACKET_LENGTH = 16
EPOCH_2020 = 1577836800

FLAG_DOOR_OPEN = 0x01
FLAG_HEATER_ON = 0x02
FLAG_QUIET = 0x04
FLAG_TILTED = 0x08

#: start value of the checksum
CHECKSUM_SEED = 0x5AC3


@dataclass(frozen=True)
class Sample:
    """One measurement in the units people use."""

    station: str
    time: int
    distance_mm: int
    temperature_c: float
    battery_v: float
    flags: int

    @property
    def quiet(self):
        return bool(self.flags & FLAG_QUIET)

    @property
    def tilted(self):
        return bool(self.flags & FLAG_TILTED)


def checksum(data):
    """Rotate-and-add checksum over ``data``, 16 bits."""
    value = CHECKSUM_SEED
    for byte in data:
        value = ((value << 3) | (value >> 13)) & 0xFFFF
        value = (value + byte) & 0xFFFF
    return value


def station_name(sector, number):
    """Give the name on the mast plate, such as ``MITTE-007``."""
    if not 0 <= sector < len(SECTORS):
        raise PacketError(f"no sector {sector}")
    return f"{SECTORS[sector]}-{number:03d}"


def decode(packet):
    """Turn 16 bytes into a Sample."""
    if len(packet) != PACKET_LENGTH:
        raise PacketError(f"{len(packet)} bytes instead of {PACKET_LENGTH}")
    if packet[0] != LAYOUT:
        raise UnknownVersion(f"layout {packet[0]}")
    _, sector, number, seconds, distance, temp, volt, flags, found = struct.unpack(
        ">BBHIHhBBH", packet
    )
    expected = checksum(packet[:-2])
    if expected != found:
        raise ChecksumMismatch(expected, found)
    return Sample(
        station=station_name(sector, number),
        time=EPOCH_2020 + seconds,
        distance_mm=distance + HEAD_OFFSET_MM,
        temperature_c=temp / 100,
        battery_v=volt / 10,
        flags=flags,
    )


def encode(sector, number, seconds, distance, temp_c, volt, flags=0):
    """Build a packet; used by the tests and by the station simulator."""
    body = struct.pack(
        ">BBHIHhBB", LAYOUT, sector, number, seconds, distance,
        round(temp_c * 100), round(volt * 10), flags,
    )
    return body + struct.pack(">H", checksum(body))
