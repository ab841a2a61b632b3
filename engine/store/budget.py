"""How much of a GPU and of RAM router keys may take. Needs no torch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# The rest of a GPU's free memory is for the model and what it reads; half of free RAM for everything else.
GPU_SHARE = 0.7
RAM_SHARE = 0.5


@dataclass(frozen=True)
class Budget:
    """Bytes that router keys may take on a GPU and in RAM. None: a share of what is free; what fits neither is mapped."""

    gpu: int | None = None
    ram: int | None = None

    def gpu_room(self, free: int) -> int:
        return int(free * GPU_SHARE) if self.gpu is None else self.gpu

    def ram_room(self) -> int:
        return int(available_ram() * RAM_SHARE) if self.ram is None else self.ram


def available_ram() -> int:
    """Bytes that can be had without swapping; where the system does not say, half of all RAM."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
