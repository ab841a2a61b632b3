from __future__ import annotations

from pathlib import Path

import pytest

from engine.places import bundled_model, store_directory


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    monkeypatch.delenv("MSA_STORE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def test_what_is_said_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("MSA_STORE", "elsewhere")
    (tmp_path / ".msa").mkdir()
    assert store_directory("here") == tmp_path / "here"
    assert store_directory("~/mine") == tmp_path / "home" / "mine"
    assert store_directory() == tmp_path / "elsewhere"


def test_a_folder_found_upward(monkeypatch, tmp_path):
    (tmp_path / ".msa").mkdir()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert store_directory(start=deep) == tmp_path / ".msa"
    (tmp_path / "a" / ".msa").write_text("a file is no memory")
    assert store_directory(start=deep) == tmp_path / ".msa"
    (deep / ".msa").mkdir()
    monkeypatch.chdir(deep)
    monkeypatch.setenv("MSA_STORE", "")
    assert store_directory() == deep / ".msa"


def test_else_the_users_data(tmp_path):
    found = store_directory(start=tmp_path)
    assert found.is_absolute() and found.name == "memory" and found.parent.name == "msa"
    assert not found.exists()


def test_the_bundled_model_lies_in_the_package():
    assert bundled_model() == Path(__file__).parents[2] / "engine" / "bundled"
