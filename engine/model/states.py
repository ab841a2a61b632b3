"""What a document becomes once encoded: its compressed latent states, and their geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class StateShape:
    """Geometry of stored states: L router layers, Gr router heads of Dr, G key/value heads of D, P tokens a chunk."""

    layers: int
    router_heads: int
    router_dim: int
    kv_heads: int
    head_dim: int
    chunk_size: int


@dataclass
class DocumentStates:
    """One document's pooled states, float32, C = ceil(n_tokens / chunk_size) chunks.

    `router_keys` [L, C, Gr, Dr] (normalised per head where the model routes by cosine),
    `keys` and `values` [L, C, G, D], pooled after k_norm and rope.
    """

    router_keys: Tensor
    keys: Tensor
    values: Tensor
    n_tokens: int
