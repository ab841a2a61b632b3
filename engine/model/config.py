"""Model configuration as read from a checkpoint folder's `config.json`.

Two model types share it: `msa` (a Qwen3 decoder with router layers, the published layout) and
`msa_encoder` (the bundled bidirectional encoder with an MSA layer on top).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from engine.errors import CheckpointError
from engine.model.states import StateShape

DECODER, ENCODER = "msa", "msa_encoder"


@dataclass(frozen=True)
class RouterConfig:
    """The `msa_config` block. `router_heads`/`router_kv_heads`/`router_head_dim` default to the attention's own."""

    router_layers: tuple[int, ...]
    top_k_docs: int
    pooling_kernel_size: int
    query_reduce_method: str
    aux_loss_method: str
    router_heads: int
    router_kv_heads: int
    router_head_dim: int

    @property
    def cosine(self) -> bool:
        """Cosine routing exactly when the reference's inference path uses it; otherwise raw dot products * D^-0.5."""
        return self.aux_loss_method == "INFONCE"

    @property
    def routing_scale(self) -> float:
        return 1.0 if self.cosine else self.router_head_dim**-0.5


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of a model. Layers are counted from 0; the encoder's MSA layers follow its backbone layers.

    With `reader_layers` the active context is read by a second stack of so many layers over the same word embeddings.
    With `query_adapter_rank` queries that hold evidence change the backbone's projections by matrices of that rank.
    With `judge` a head on the reader's states says whether evidence says yes or no.
    """

    model_type: str
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    router: RouterConfig
    rms_norm_eps: float = 1e-6
    rope_theta: float = 1e6
    tie_word_embeddings: bool = False
    # The encoder only.
    backbone_layers: int = 0
    backbone_heads: int = 0
    backbone_intermediate_size: int = 0
    reader_layers: int = 0
    query_adapter_rank: int = 0
    judge: bool = False
    layer_norm_eps: float = 1e-12
    max_document_tokens: int = 256
    max_title_tokens: int = 24
    max_question_tokens: int = 64

    @property
    def state_shape(self) -> StateShape:
        r = self.router
        return StateShape(
            len(r.router_layers),
            r.router_kv_heads,
            r.router_head_dim,
            self.num_key_value_heads,
            self.head_dim,
            r.pooling_kernel_size,
        )

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> ModelConfig:
        """Raises CheckpointError naming the key that is missing or cannot be honoured."""
        try:
            return cls._from_dict(raw)
        except KeyError as error:
            raise CheckpointError(f"config.json: key {error.args[0]!r} is missing") from None

    @classmethod
    def _from_dict(cls, raw: dict[str, Any]) -> ModelConfig:
        model_type = raw["model_type"]
        if model_type not in (DECODER, ENCODER):
            raise CheckpointError(f"config.json: model_type {model_type!r} is not one of {DECODER!r}, {ENCODER!r}")
        if raw.get("rope_scaling"):
            raise CheckpointError("config.json: rope_scaling is not supported")
        known = {f.name for f in fields(cls)} - {"router"}
        values = {key: raw[key] for key in known if key in raw}
        if "rope_theta" not in values and isinstance(raw.get("rope_parameters"), dict):
            values["rope_theta"] = raw["rope_parameters"]["rope_theta"]
        required = (f.name for f in fields(cls) if f.name != "router" and f.name not in values)
        defaults = {f.name for f in fields(cls) if f.default is not f.default_factory}
        for name in required:
            if name not in defaults:
                raise KeyError(name)
        return cls(**values, router=_router(raw["msa_config"], values))

    @classmethod
    def load(cls, folder: Path) -> ModelConfig:
        """Raises CheckpointError when there is no readable `config.json` in `folder`."""
        return cls.from_dict(read_config(folder))


def read_config(folder: Path) -> dict[str, Any]:
    path = Path(folder) / "config.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise CheckpointError(f"{path}: not JSON ({error})") from None


def _router(raw: dict[str, Any], model: dict[str, Any]) -> RouterConfig:
    for key, only in (
        ("head_reduce_method", "mean"),
        ("chunk_reduce_method", "max"),
        ("decouple_pooling_mode", "mean"),
        ("decouple_router", True),
    ):
        if raw.get(key, only) != only:
            raise CheckpointError(f"config.json: msa_config.{key} = {raw[key]!r} is not supported, only {only!r}")
    if raw["query_reduce_method"] not in ("max", "mean"):
        raise CheckpointError(f"config.json: msa_config.query_reduce_method = {raw['query_reduce_method']!r}")
    layers = raw["router_layer_idx"]
    n_layers = model["num_hidden_layers"]
    router_layers = tuple(range(n_layers)) if layers == "all" else tuple(int(i) for i in str(layers).split(","))
    if not router_layers or max(router_layers) >= n_layers:
        raise CheckpointError(f"config.json: msa_config.router_layer_idx = {layers!r} with {n_layers} layers")
    return RouterConfig(
        router_layers=router_layers,
        top_k_docs=raw["top_k_docs"],
        pooling_kernel_size=raw["pooling_kernel_size"],
        query_reduce_method=raw["query_reduce_method"],
        aux_loss_method=raw["aux_loss_method"],
        router_heads=raw.get("router_heads", model["num_attention_heads"]),
        router_kv_heads=raw.get("router_kv_heads", model["num_key_value_heads"]),
        router_head_dim=raw.get("router_head_dim", model["head_dim"]),
    )
