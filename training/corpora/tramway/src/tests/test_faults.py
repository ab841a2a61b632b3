"""Tests of the fault desk and of notifications."""
import os
import unittest
from unittest import mock

from lindtram.errors import DeliveryFailed, ReleaseRefused, UnknownFaultCode
from lindtram.faults import FaultDesk, classify
from lindtram.notify import send


class FaultTest(unittest.TestCase):
    def setUp(self):
        self.desk = FaultDesk()

    def test_duplicates(self):
        self.desk.report("T03", "612", 0)
        self.assertEqual(self.desk.report("T03", "612", 25).count, 2)
        self.desk.report("W17", "Heron", 0)
        self.desk.report("W17", "Heron", 1)
        self.assertEqual(len(self.desk.faults), 3)

    def test_escalation(self):
        fault = self.desk.report("M09", "014", 0)
        self.assertIsNone(self.desk.escalation(fault, 34))
        self.assertEqual(self.desk.escalation(fault, 35), "workshop_duty")

    def test_release(self):
        fault = self.desk.report("T11", "405", 0)
        with self.assertRaises(ReleaseRefused):
            self.desk.release(fault, "workshop_fitter")

    def test_unknown(self):
        with self.assertRaises(UnknownFaultCode):
            classify("X99")

    def test_delivery(self):
        pauses = []
        with mock.patch.dict(os.environ, {"LMT_SMS_TOKEN": "x", "LMT_DRY_RUN": "0"}):
            with self.assertRaises(DeliveryFailed):
                send("control_room", "hi", lambda *a: False, sleep=pauses.append)
        self.assertEqual(pauses, [1.5, 3.0, 6.0])


if __name__ == "__main__":
    unittest.main()
