"""Tests of the alarm levels, the store and the uplink."""

import unittest

from graupel.alarms import check_alive, judge, limits, may_fall, merge
from graupel.config import Settings
from graupel.errors import SettingsError, StationSilent, UplinkError, UplinkExhausted
from graupel.store import SampleStore
from graupel.uplink import Uplink, wait_time

GOOD = ["good"] * 20


def ramp(total):
    return [total * i / 10 for i in range(11)] + [total] * 9


class AlarmTest(unittest.TestCase):
    def test_levels(self):
        self.assertEqual(judge("NORD-001", ramp(20), GOOD).level, "none")
        self.assertEqual(judge("NORD-001", ramp(30), GOOD).level, "yellow")
        self.assertEqual(judge("NORD-001", ramp(50), GOOD).level, "red")

    def test_warming(self):
        self.assertEqual(judge("NORD-001", ramp(30), GOOD, 10).reason, "warming")

    def test_lee(self):
        self.assertAlmostEqual(limits(Settings(), lee=True)[0], 23.8)

    def test_merge_needs_two(self):
        red = judge("NORD-001", ramp(50), GOOD)
        yellow = judge("NORD-002", ramp(30), GOOD)
        self.assertEqual(merge([red]), "none")
        self.assertEqual(merge([red, yellow]), "yellow")

    def test_silent(self):
        check_alive("SUED-004", 120, quiet=True)
        with self.assertRaises(StationSilent):
            check_alive("SUED-004", 120)
        self.assertFalse(may_fall(5))


class RestTest(unittest.TestCase):
    def test_env(self):
        s = Settings.from_env({"GRAUPEL_RED_CM": "60"})
        self.assertEqual(s.red_cm, 47.0)
        with self.assertRaises(SettingsError):
            Settings.from_env({"GRAUPEL_RED_CM": "20", "GRAUPEL_ALLOW_LIMITS": "yes"})

    def test_store(self):
        store = SampleStore(":memory:")
        self.assertTrue(store.add("NORD-001", 1000, 55.0, "good"))
        self.assertFalse(store.add("NORD-001", 1000, 55.0, "good"))

    def test_uplink(self):
        def refuse(url, body, timeout):
            raise UplinkError("no")
        uplink = Uplink(send=refuse, sleep=lambda s: None)
        with self.assertRaises(UplinkExhausted):
            uplink.push([1])
        self.assertEqual(wait_time(9, uplink.settings), 80.0)


if __name__ == "__main__":
    unittest.main()
