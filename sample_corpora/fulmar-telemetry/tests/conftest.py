from datetime import datetime, timezone

import pytest

from fulmar.store import Store


@pytest.fixture
def noon():
    return datetime(2024, 6, 12, 12, 0, tzinfo=timezone.utc)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "test.sqlite3") as db:
        yield db
