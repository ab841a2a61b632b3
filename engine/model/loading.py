"""A checkpoint folder -> the model in its seat."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from engine.errors import CheckpointError
from engine.model.checkpoint import fingerprint, load_model
from engine.model.config import read_config
from engine.model.encoder import MSAEncoder
from engine.model.generator import GenerativeModel
from engine.model.inputs import EncoderInputs
from engine.model.int8_linear import in_eight_bits, pays
from engine.model.interface import MemoryModel
from engine.model.pointer import PointingModel
from engine.model.tokenizer import load_tokenizer


def load_memory_model(folder: Path, device: str | None = None) -> MemoryModel:
    """The folder's model on `device` (default: CUDA where there is one). On a CPU float32, the encoder's stacks in 8-bit
    integers where that pays.

    Raises CheckpointError for a folder that is not a model, or a device that is not there.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device != "cpu" and not (device.startswith("cuda") and torch.cuda.is_available()):
        raise CheckpointError(f"device {device!r} is not available here; use cpu")
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such model folder")
    name = read_config(folder).get("name") or folder.absolute().name
    model = load_model(folder, device)
    tokenizer = load_tokenizer(folder)
    if isinstance(model, MSAEncoder):
        if device == "cpu" and pays():
            for part in (model.backbone, model.reader, *(layer.mlp for layer in model.layers.values())):
                if part is not None:
                    in_eight_bits(part)
        inputs = EncoderInputs(tokenizer, model.config)
        return PointingModel(model, inputs, name, fingerprint(folder), _policy(folder))
    return GenerativeModel(model, tokenizer, name, fingerprint(folder))


def _policy(folder: Path) -> dict[str, Any]:
    """The loop's settings that ship with a model; none is fine."""
    path = folder / "policy.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:
        raise CheckpointError(f"{path}: not JSON ({error})") from None
