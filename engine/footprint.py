"""What a memory costs on every tier, now and at 1M, 10M and 100M tokens on this machine. Needs no torch."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from engine.results import Footprint
from engine.store import Store
from engine.store.budget import Budget

SIZES = (1_000_000, 10_000_000, 100_000_000)
# What the process holds beside router keys: torch, the model in float32, its tokenizer.
PROCESS_BYTES = 500 << 20


def footprint(store: Store, device: str | None = None, budget: Budget = Budget()) -> Footprint:
    fields = store.footprint()
    device = device or ("cuda" if Path("/dev/nvidia0").exists() else "cpu")
    sizes = fields["bytes"]
    tokens = fields["tokens"]
    projections = [_projection(n, sizes, tokens, store.directory) for n in SIZES] if tokens else []
    fields["bytes"] = {**sizes, "total": sum(sizes.values())}
    held = _keys_by_place(sizes["router_keys"], device, budget)
    fields["places"] = {**fields["places"], "router_keys": " + ".join(held) or "RAM"}
    fields["resident"] = {**fields["resident"], "router_keys": sizes["router_keys"] - held.get("disk", 0)}
    return Footprint(
        **fields,
        projections=projections,
        model=store.model_name,
        fingerprint=store.fingerprint,
        device=device,
    )


def _keys_by_place(size: int, device: str, budget: Budget) -> dict[str, int]:
    """Bytes of router keys on the GPU, in RAM and on the disk when a question is asked. How much of a GPU is free only
    torch can tell: without a budget all is said to be there."""
    on_gpu = min(size, size if budget.gpu is None else budget.gpu) if device.startswith("cuda") else 0
    in_ram = min(size - on_gpu, budget.ram_room())
    held = {"GPU": on_gpu, "RAM": in_ram, "disk": size - on_gpu - in_ram}
    return {place: count for place, count in held.items() if count}


def _projection(wanted: int, sizes: dict[str, int], tokens: int, directory: Path) -> dict[str, Any]:
    """Each tier grows with the tokens; router keys must fit in RAM, all of it on the disk."""
    grown = {tier: round(size * wanted / tokens) for tier, size in sizes.items()}
    total = sum(grown.values())
    ram = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    in_ram = "fits in RAM" if grown["router_keys"] + PROCESS_BYTES < ram else "keys beyond RAM are mapped"
    on_disk = "fits on disk" if total < shutil.disk_usage(directory).free else "needs more disk"
    return {"tokens": wanted, **grown, "total": total, "fits": f"{in_ram}, {on_disk}"}
