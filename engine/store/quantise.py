"""Symmetric int8 with one float16 scale per vector: x ~ scale * q, scale = max|x| / 127, q = round(x / scale).

The integers are rounded against the scale as stored, so the scale's own rounding costs nothing and every
element is within half a step: |x - scale * q| <= scale / 2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.model.states import DocumentStates, StateShape

LEVELS = 127


def quantise(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """[..., D] float -> int8 [..., D] and float16 scales [...]. A vector of zeros has scale 0.

    Raises ValueError if a value is not finite or beyond what a float16 scale can hold.
    """
    vectors = vectors.float()
    largest = vectors.abs().amax(-1)
    scales = (largest / LEVELS).half()
    # Among subnormal float16 the nearest scale can be far too small and would clip: take the next one up.
    short = scales.float() * (LEVELS + 0.5) < largest
    scales = (scales.view(torch.int16) + short.to(torch.int16)).view(torch.float16)
    if not bool(torch.isfinite(scales).all()):
        raise ValueError("states must be finite and below 8e6")
    steps = scales.float().unsqueeze(-1)
    levels = torch.round(vectors / steps.masked_fill(steps == 0, 1.0)).clamp_(-LEVELS, LEVELS)
    return levels.to(torch.int8), scales


def dequantise(levels: Tensor, scales: Tensor) -> Tensor:
    """int8 [..., D] and scales [...] -> float32 [..., D]."""
    return levels.float() * scales.float().unsqueeze(-1)


def pack(states: DocumentStates, shape: StateShape) -> tuple[Tensor, Tensor, bytes]:
    """One document's states as they are stored: router keys int8 [L, C, Gr * Dr], their scales [L, C, Gr], record.

    Raises ValueError if the states do not have this shape or are not finite.
    """
    chunks = -(-states.n_tokens // shape.chunk_size)
    routers = (shape.layers, chunks, shape.router_heads, shape.router_dim)
    contents = (shape.layers, chunks, shape.kv_heads, shape.head_dim)
    for name, tensor, expected in (
        ("router_keys", states.router_keys, routers),
        ("keys", states.keys, contents),
        ("values", states.values, contents),
    ):
        if tuple(tensor.shape) != expected or chunks < 1:
            raise ValueError(f"{name} of {states.n_tokens} tokens are {tuple(tensor.shape)}, expected {expected}")
    keys, scales = quantise(states.router_keys.detach())
    levels, steps = quantise(torch.stack((states.keys.detach(), states.values.detach()), dim=1))  # [L, 2, C, G, D]
    record = raw(levels).tobytes() + raw(steps).tobytes()
    return keys.flatten(2), scales, record


def unpack(record: bytearray, n_chunks: int, shape: StateShape) -> tuple[Tensor, Tensor]:
    """A document's record -> float32 keys and values, each [L, C, G, D]."""
    dims = (shape.layers, 2, n_chunks, shape.kv_heads, shape.head_dim)
    flat = torch.frombuffer(record, dtype=torch.uint8)
    count = shape.layers * 2 * n_chunks * shape.kv_heads * shape.head_dim
    levels = flat[:count].view(torch.int8).view(dims)
    scales = flat[count:].view(torch.float16).view(dims[:-1])
    both = dequantise(levels, scales)
    return both[:, 0], both[:, 1]


def raw(tensor: Tensor) -> memoryview:
    """The bytes of a CPU tensor, without a copy when it is contiguous."""
    return memoryview(tensor.contiguous().view(torch.uint8).flatten().numpy())
