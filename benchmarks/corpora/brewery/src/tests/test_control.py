"""Tests of the control loop."""

import unittest

from fermwatch.config import Settings, load_settings
from fermwatch.control import TankController, may_hand_over
from fermwatch.errors import CeilingExceeded, ManualModeActive, ValveBusy
from fermwatch.sensors import Reading


def reading(temp, tank="FV2"):
    return Reading(tank, temp, 1.020, 0.5, 0.0)


class ControlTest(unittest.TestCase):
    def setUp(self):
        self.sent = []
        self.ctl = TankController("FV2", Settings(), lambda t, w: self.sent.append(w))

    def test_opens_above_band(self):
        self.assertEqual(self.ctl.step(reading(19.2), 19.0, 0), "hold")
        self.assertEqual(self.ctl.step(reading(19.4), 19.0, 20), "open")

    def test_valve_rests(self):
        self.ctl.open_valve(0)
        self.ctl.close_valve(10)
        with self.assertRaises(ValveBusy):
            self.ctl.open_valve(50)

    def test_ceiling_beats_manual(self):
        self.ctl.take_manual(0)
        with self.assertRaises(ManualModeActive):
            self.ctl.step(reading(22.0), 19.0, 5)
        with self.assertRaises(CeilingExceeded):
            self.ctl.step(reading(28.0), 19.0, 6)
        self.assertEqual(self.sent, ["open"])

    def test_hand_over(self):
        self.assertTrue(may_hand_over(reading(3.5), Settings()))
        self.assertFalse(may_hand_over(reading(3.6), Settings()))

    def test_poll_floor(self):
        self.assertEqual(load_settings({"FERMWATCH_POLL": "1"}).poll_seconds, 5)


if __name__ == "__main__":
    unittest.main()
