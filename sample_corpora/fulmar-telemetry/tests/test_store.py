from datetime import timedelta

import pytest

from fulmar.errors import StoreError
from fulmar.frames import Frame
from fulmar.store import Store


def test_duplicates_are_dropped(store, noon):
    frame = Frame(214, 1, noon, 1, b"x")
    assert store.add_frame(frame)
    assert not store.add_frame(frame)
    assert store.last_heard(214) == noon


def test_latest_skips_suspect(store, noon):
    store.add_readings(214, noon, [("air_temp", 9.5, False)])
    store.add_readings(214, noon + timedelta(minutes=30), [("air_temp", 99.0, True)])
    assert store.latest(214, "air_temp") == (noon, 9.5)


def test_prune_leaves_raw_frames(store, noon):
    store.add_frame(Frame(214, 1, noon, 1, b"x"))
    store.add_readings(214, noon, [("air_temp", 9.5, False)])
    later = noon + timedelta(days=731)
    assert store.prune(later) == 1
    assert store.buoys() == [214]
    assert store.prune(later, raw=True) == 1
    assert store.buoys() == []


def test_newer_schema_is_refused(tmp_path):
    path = tmp_path / "new.sqlite3"
    with Store(path) as db:
        db._db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError):
        Store(path)
