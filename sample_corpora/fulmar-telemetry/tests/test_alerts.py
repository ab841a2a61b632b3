from datetime import timedelta

import pytest

from fulmar.alerts import Alert, Evaluator, default_rules
from fulmar.config import Config, Delivery, Station, parse
from fulmar.errors import ConfigError, DeliveryError
from fulmar.faults import Severity, by_code, faults_in, unknown_bits, worst
from fulmar.fields import Status, pack_status
from fulmar.frames import Frame, FrameType
from fulmar.outbox import Outbox
from fulmar.pipeline import Pipeline

HOME = Station(214, "Lothra Bank", 56.5, -7.0)


def report(store, when, seq, **changes):
    values = dict(battery_v=12.9, bilge_us_cm=2.0, hull_humidity=40.0, lat=56.5, lon=-7.0, faults=())
    values.update(changes)
    frame = Frame(214, seq, when, FrameType.STATUS, pack_status(Status(**values)))
    Pipeline(store).handle(frame)


def evaluator(store):
    return Evaluator(store, default_rules(Config(stations={214: HOME})))


def codes(alerts):
    return [alert.code for alert in alerts]


def test_quiet_station(store, noon):
    report(store, noon, 1)
    assert evaluator(store).run(noon) == []


def test_silence_opens_and_closes(store, noon):
    report(store, noon, 1)
    ev = evaluator(store)
    assert ev.run(noon + timedelta(seconds=5400)) == []
    assert codes(ev.run(noon + timedelta(seconds=5401))) == ["S01"]
    report(store, noon + timedelta(hours=2), 2)
    assert ev.run(noon + timedelta(hours=2)) == []
    assert store.open_alerts() == []


def test_leak_is_critical(store, noon):
    report(store, noon, 1, bilge_us_cm=210.0)
    (alert,) = evaluator(store).run(noon)
    assert (alert.code, alert.severity) == ("E217", Severity.CRITICAL)


def test_drift_needs_two_fixes(store, noon):
    ev = evaluator(store)
    report(store, noon, 1, lat=56.51)
    assert ev.run(noon) == []
    assert ev.run(noon) == []  # the same fix does not count twice
    report(store, noon + timedelta(minutes=30), 2, lat=56.51)
    assert codes(ev.run(noon + timedelta(minutes=30))) == ["E418"]


def test_other_bits_come_through(store, noon):
    report(store, noon, 1, faults=(by_code("E308"),))
    assert codes(evaluator(store).run(noon)) == ["E308"]


def test_fault_word():
    word = 1 << 6 | 1 << 10 | 1 << 30
    assert [f.code for f in faults_in(word)] == ["E217", "E308"]
    assert unknown_bits(word) == 1 << 30
    assert worst(faults_in(word)) is Severity.CRITICAL
    assert worst(()) is None


def make_alert(noon, severity):
    return Alert(214, "E101", severity, noon, "test")


def test_outbox_backs_off_and_drops(noon):
    def fail(alerts):
        raise DeliveryError("no network")

    box = Outbox(fail, Delivery(max_attempts=2))
    assert not box.put(make_alert(noon, Severity.INFO))
    box.put(make_alert(noon, Severity.WARNING))
    box.put(make_alert(noon, Severity.CRITICAL))
    box.flush(0.0)
    assert box.flush(19.0) == 0 and len(box) == 2
    box.flush(20.0)
    assert len(box) == 1 and len(box.dropped) == 1
    assert box.delay_after(30) == 1800.0


def test_outbox_sends_critical_first(noon):
    sent = []
    box = Outbox(sent.extend, Delivery(batch_size=1))
    box.put(make_alert(noon, Severity.WARNING))
    box.put(make_alert(noon, Severity.CRITICAL))
    assert box.flush(0.0) == 1
    assert sent[0].severity is Severity.CRITICAL


@pytest.mark.parametrize("text", [
    "[alerts]\nbatery_low_v = 11",
    "[alerts]\nsilence_after_s = 60",
    "[delivery]\nbatch_size = 500",
    "[station.north]\nname = 'x'",
    "colour = 'red'",
])
def test_bad_configuration(text):
    with pytest.raises(ConfigError):
        parse(text)


def test_station_section():
    config = parse("[station.214]\nname = 'Lothra Bank'\nlat = 56.5\nlon = -7.0\nwatch_radius_m = 400")
    assert config.stations[214].circle(config.alerts).radius_m == 400
