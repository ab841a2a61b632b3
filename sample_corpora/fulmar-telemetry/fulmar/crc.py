"""CRC-16 with polynomial 0x1021 and initial value 0xFFFF (the CCITT variant).

The controller board computes the same checksum in hardware.  It is kept in a
module of its own because the bench tools import nothing else.
"""

from __future__ import annotations

POLYNOMIAL = 0x1021
INITIAL = 0xFFFF


def _make_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            if value & 0x8000:
                value = (value << 1) ^ POLYNOMIAL
            else:
                value <<= 1
            value &= 0xFFFF
        table.append(value)
    return tuple(table)


_TABLE = _make_table()


def crc16(data: bytes, value: int = INITIAL) -> int:
    """Return the checksum of ``data``, continuing from ``value``."""
    for byte in data:
        value = ((value << 8) & 0xFFFF) ^ _TABLE[(value >> 8) ^ byte]
    return value
