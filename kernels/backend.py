"""Which implementation of an operation runs: chosen by device, overruled by the environment.

    triton      CUDA tensors, when triton can be imported
    cpu         plain torch arranged for a CPU; runs on any device and is what remains without triton
    reference   the specification; MSA_KERNELS=reference forces it everywhere
"""

from __future__ import annotations

import os
from functools import cache

import torch

ENVIRONMENT_VARIABLE = "MSA_KERNELS"


@cache
def _can_import_triton() -> bool:
    try:
        import triton  # noqa: F401
    except ImportError:
        return False
    return True


def backend(device: torch.device | str) -> str:
    """Name of the implementation used for tensors on `device`: "triton", "cpu" or "reference".

    Raises ValueError when MSA_KERNELS is set to anything but "auto" or "reference".
    """
    choice = os.environ.get(ENVIRONMENT_VARIABLE) or "auto"
    if choice not in ("auto", "reference"):
        raise ValueError(f"{ENVIRONMENT_VARIABLE} must be 'auto' or 'reference', not {choice!r}")
    if choice == "reference":
        return "reference"
    return "triton" if torch.device(device).type == "cuda" and _can_import_triton() else "cpu"


def wants_gradient(*tensors: torch.Tensor | None) -> bool:
    """True when autograd would record an operation on these tensors (the Triton kernels are forward only)."""
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)
