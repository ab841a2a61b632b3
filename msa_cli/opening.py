"""The one door to the engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msa_cli.quick_torch import import_torch

if TYPE_CHECKING:
    from engine import Memory


def open_memory(
    store: Path | None,
    *,
    model: Path | None = None,
    device: str | None = None,
    create: bool = False,
    gpu_budget: int | None = None,
    ram_budget: int | None = None,
    thinks: bool = False,
) -> Memory:
    """The memory to work on, a context manager; `thinks` where the model will be needed.

    The engine is imported here, so that help and usage errors do without it. Of several processes under `torchrun`
    only the first comes back; the others serve it and end.
    """
    from engine import Memory

    memory = Memory.open(store, model=model, device=device, create=create, gpu_budget=gpu_budget, ram_budget=ram_budget)
    if memory.helper:
        memory.serve()
        raise SystemExit(0)
    if thinks:
        import_torch()
    return memory
