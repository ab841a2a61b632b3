"""Tests of the stock rules and of the frames."""

from datetime import date

import pytest

from tarnbeck.analyser import build_frame, parse_frame, parse_result
from tarnbeck.errors import FrameTooLong, SecondSignatureMissing
from tarnbeck.stock import Stock
from tarnbeck.store import Batch

TODAY = date(2025, 3, 3)


def filled():
    stock = Stock()
    stock.receive(Batch("B1", "ketamine", 8, date(2025, 9, 1), "C-03"))
    stock.receive(Batch("B2", "ketamine", 5, date(2025, 6, 1), "C-03"))
    return stock


def test_oldest_first():
    assert filled().withdraw("ketamine", 6, TODAY, ["a", "b"]) == ["B2", "B1"]


def test_two_signatures():
    with pytest.raises(SecondSignatureMissing):
        filled().withdraw("ketamine", 1, TODAY, ["a", "a"], farm=True)


def test_order_in_packs():
    # 2 a day for 20 days with the factor gives 54; 13 are there
    assert filled().suggest_order("ketamine", 2) == 42


def test_frame_round_trip():
    body = b"HM|Bosco|HGB|151|G/L"
    assert parse_result(parse_frame(build_frame(body)))["unit"] == "g/l"
    with pytest.raises(FrameTooLong):
        build_frame(b"x" * 1920)
