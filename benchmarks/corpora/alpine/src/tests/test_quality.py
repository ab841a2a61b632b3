"""Tests of packets and grades."""

import unittest

from graupel.errors import ChecksumMismatch, UnknownVersion
from graupel.packets import FLAG_TILTED, decode, encode
from graupel.quality import grade, smooth, steps, usable

MAST_MM = 6500


class PacketTest(unittest.TestCase):
    def test_round_trip(self):
        sample = decode(encode(1, 7, 1000, 4000, -12.25, 12.6))
        self.assertEqual(sample.station, "MITTE-007")
        self.assertEqual(sample.distance_mm, 4135)
        self.assertEqual(sample.temperature_c, -12.25)

    def test_damaged(self):
        packet = bytearray(encode(0, 3, 1000, 4000, 1.0, 12.6))
        packet[9] ^= 1
        with self.assertRaises(ChecksumMismatch):
            decode(bytes(packet))

    def test_old_layout(self):
        packet = b"\x01" + encode(0, 3, 1000, 4000, 1.0, 12.6)[1:]
        with self.assertRaises(UnknownVersion):
            decode(packet)


class GradeTest(unittest.TestCase):
    def test_battery(self):
        for volt, expected in ((12.4, "good"), (11.5, "doubtful"), (11.0, "bad")):
            sample = decode(encode(2, 1, 0, 4000, -3, volt))
            self.assertEqual(grade(sample, MAST_MM), expected)

    def test_tilted(self):
        sample = decode(encode(2, 1, 0, 4000, -3, 12.4, FLAG_TILTED))
        self.assertEqual(grade(sample, MAST_MM), "bad")

    def test_series(self):
        self.assertEqual(smooth([1, 100, 2])[-1], 2)
        self.assertEqual(steps([10, 30, 31]), [1])
        self.assertTrue(usable(["good"] * 7 + ["doubtful"] * 3))


if __name__ == "__main__":
    unittest.main()
