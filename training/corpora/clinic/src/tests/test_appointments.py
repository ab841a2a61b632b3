"""Tests of the diary and the reminders."""

from datetime import datetime, timedelta

import pytest

from tarnbeck.appointments import Diary
from tarnbeck.errors import SedationClash, TooFarAhead
from tarnbeck.reminders import compose, send_times

NOW = datetime(2025, 3, 3, 9, 0)


def test_mri_takes_ninety_minutes():
    visit = Diary().book("Bosco", "Irwell", "MR", "mri", NOW, NOW)
    assert visit.end - visit.start == timedelta(minutes=90)


def test_room_rests_after_sedation():
    diary = Diary()
    first = diary.book("Bosco", "Irwell", "CT", "ct", NOW, NOW)
    with pytest.raises(SedationClash):
        diary.book("Minka", "Pell", "CT", "ct", first.end, NOW, emergency=True)


def test_horizon():
    with pytest.raises(TooFarAhead):
        Diary().book("Bosco", "Pell", "R1", "dental",
                     NOW + timedelta(days=181), NOW)


def test_reminder_text_and_number():
    visit = Diary().book("Minka", "Pell", "R1", "vaccination",
                         NOW + timedelta(days=9), NOW)
    assert len(send_times(visit)) == 1
    assert "food" not in compose(visit)
