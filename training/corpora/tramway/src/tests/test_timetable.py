"""Tests of the timetable checks and fares."""
import unittest

from lindtram.errors import HeadwayTooShort, LayoverTooShort, OfflineLimitReached, UnknownLine
from lindtram.ticketing import Machine, price
from lindtram.timetable import Trip, check_headways, check_layovers, delay_state, depot_of


class TimetableTest(unittest.TestCase):
    def test_headway(self):
        with self.assertRaises(HeadwayTooShort):
            check_headways([Trip("1", "401", 36000, 38000), Trip("1", "402", 36140, 38140)])

    def test_layover_at_night(self):
        trips = [Trip("2", "601", 80000, 83000), Trip("2", "601", 83300, 85000)]
        with self.assertRaises(LayoverTooShort):
            check_layovers(trips)

    def test_states(self):
        self.assertEqual(delay_state(100, 280), "on time")
        self.assertEqual(delay_state(100, 281), "late")

    def test_unknown_line(self):
        with self.assertRaises(UnknownLine):
            depot_of("9")


class FareTest(unittest.TestCase):
    def test_group(self):
        self.assertEqual(price("single", 10), 2210)
        self.assertEqual(price("day", 10), 7200)

    def test_offline(self):
        machine = Machine("014", online=False)
        for _ in range(40):
            machine.sell("single", 260)
        with self.assertRaises(OfflineLimitReached):
            machine.sell("single", 260)


if __name__ == "__main__":
    unittest.main()
