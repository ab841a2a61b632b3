"""Tests of sensor reading and recipes."""

import unittest

from fermwatch.config import Settings
from fermwatch.errors import ImplausibleReading, RecipeError, SensorError
from fermwatch.recipes import is_finished, parse_recipe, ramp_hours
from fermwatch.sensors import Reading, read_tank, smooth


class SensorTest(unittest.TestCase):
    def test_gives_up(self):
        pauses = []

        def fetch(tank):
            raise OSError("down")

        with self.assertRaises(SensorError):
            read_tank(fetch, "FV1", Settings(), sleep=pauses.append)
        self.assertEqual(pauses, [1.5, 3.0, 6.0])

    def test_implausible(self):
        bad = Reading("FV1", 80.0, 1.01, 0.2, 0.0)
        with self.assertRaises(ImplausibleReading):
            read_tank(lambda t: bad, "FV1", Settings(), clock=lambda: 1.0)

    def test_smooth(self):
        self.assertEqual(smooth([19.0, 19.1, 40.0]), 19.1)


class RecipeTest(unittest.TestCase):
    def test_souring_first(self):
        with self.assertRaises(RecipeError):
            parse_recipe('{"steps": [{"name": "primary"}, {"name": "souring"}]}')

    def test_ramp(self):
        self.assertAlmostEqual(ramp_hours(19.0, 1.0), 15.0)

    def test_finished(self):
        self.assertTrue(is_finished([1.010] * 31))
        self.assertFalse(is_finished([1.010] * 30))


if __name__ == "__main__":
    unittest.main()
