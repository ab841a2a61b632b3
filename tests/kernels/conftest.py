"""Kernels run on the GPU if there is one; else Triton interprets them, to be decided before it is imported."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import ModuleType

import pytest
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture
def device() -> str:
    return DEVICE


@pytest.fixture(autouse=True)
def poisoned_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uninitialised float memory holds NaN, so an element left unwritten shows."""

    def poisoned(allocate):
        def wrapper(*args, **kwargs):
            out = allocate(*args, **kwargs)
            return out.fill_(torch.nan) if out.is_floating_point() else out

        return wrapper

    for owner, name in ((torch, "empty"), (torch, "empty_like"), (torch.Tensor, "new_empty")):
        monkeypatch.setattr(owner, name, poisoned(getattr(owner, name)))


@pytest.fixture
def implementation() -> Callable[[str, str], ModuleType]:
    """implementation(operation, name) is the module kernels.<operation>.<name>; skips where triton is not installed."""

    def find(operation: str, name: str) -> ModuleType:
        if name == "triton":
            pytest.importorskip("triton")
        return importlib.import_module(f"kernels.{operation}.{name}")

    return find
