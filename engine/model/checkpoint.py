"""Checkpoint folders: config.json, tokenizer.json and weights in safetensors, one file or sharded by an index.

Notable choices: tensors are copied one at a time out of the mapped file, float32 unless asked otherwise; a module is
built without storage and takes the loaded tensors as they are, so start-up costs little more than the reading.
Weights may be stored in 8 bits (`NAME` int8) or 6 (`NAME` uint8, four values in three bytes), with one float32 scale a
row (`NAME.scale`), and are expanded on loading.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import CheckpointError
from engine.model.config import DECODER, ModelConfig, read_config

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
SCALE = ".scale"
IN_SIX_BITS = re.compile(r"word_embeddings\.weight|reader\.layers\.\d+\.\w+_proj\.weight")
"""Half of the bundled weights: what bears coarse steps best, and what was trained to."""
KNOWN_EXTRA = {"temperature"}
"""In published files though no module of ours needs it: the temperature of the routing loss."""

_ONLY = {"hidden_act": "silu", "attention_bias": False, "use_sliding_window": False}


def load_tensors(
    folder: Path,
    expected: Mapping[str, tuple[int, ...]] | None = None,
    *,
    device: str = "cpu",
    dtype: torch.dtype | None = None,
) -> dict[str, Tensor]:
    """All weights of the folder by name, in `dtype` (None: float32), 8-bit ones expanded.

    With `expected` (name -> shape) exactly these are returned. Raises CheckpointError, naming file and key, for a
    file that is missing or broken, and for a key that is missing, unexpected or of another shape.
    """
    import torch

    dtype = torch.float32 if dtype is None else dtype
    files = _locate(Path(folder))
    if expected is not None:
        _compare_names(Path(folder), files, expected)
    tensors = {}
    for path, name, tensor in _read(files, None if expected is None else expected.keys(), device, dtype):
        if expected is not None and tuple(tensor.shape) != tuple(expected[name]):
            raise CheckpointError(f"{path}: {name} has shape {list(tensor.shape)}, expected {list(expected[name])}")
        tensors[name] = tensor
    return tensors


def load_model(folder: Path, device: str = "cpu", dtype: torch.dtype | None = None) -> nn.Module:
    """The model of the folder, chosen by `model_type`, in evaluation mode. Raises CheckpointError as `load_tensors`."""
    folder = Path(folder)
    with _without_storage():
        model = _build(folder)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    model.load_state_dict(load_tensors(folder, expected, device=device, dtype=dtype), assign=True)
    return model.eval()


def save_quantised(state_dict: Mapping[str, Tensor], folder: Path) -> None:
    """Write model.safetensors with every 2-D weight in 8 bits (IN_SIX_BITS: 6), all other parameters in float32.

    w ~ q * scale as `quantised` says: off by half the row's scale at most.
    """
    import torch
    from safetensors.torch import save

    stored = {}
    for name, tensor in state_dict.items():
        tensor = tensor.detach().to("cpu", torch.float32)
        if tensor.ndim == 2:
            six = in_six_bits(name, tensor)
            q, scale = quantised(tensor, 31 if six else 127)
            stored[name + SCALE] = scale
            stored[name] = pack_six_bits(q.to(torch.int8)) if six else q.to(torch.int8)
        else:
            stored[name] = tensor.contiguous()
    # Not save_file: it makes the file readable by its owner alone.
    (Path(folder) / SINGLE).write_bytes(save(stored))


def in_six_bits(name: str, tensor: Tensor) -> bool:
    """Whether `save_quantised` stores this weight in 6 bits."""
    return tensor.ndim == 2 and tensor.shape[1] % 4 == 0 and IN_SIX_BITS.fullmatch(name) is not None


def quantised(tensor: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """[N, M] -> whole numbers q of -most..most [N, M], as floats, and scale = max|row| / most [N]."""
    import torch

    scale = tensor.abs().amax(1) / most
    scale = torch.where(scale > 0, scale, 1.0)
    return (tensor / scale[:, None]).round().clamp(-most, most), scale


def pack_six_bits(q: Tensor) -> Tensor:
    """Integers of -32..31 [N, M], M divisible by 4 -> bytes [N, 3 M / 4]."""
    import torch

    a, b, c, d = (q.to(torch.int16) + 32).view(q.shape[0], -1, 4).unbind(-1)
    packed = torch.stack([a | (b & 3) << 6, b >> 2 | (c & 15) << 4, c >> 4 | d << 2], -1)
    return packed.to(torch.uint8).flatten(1)


def unpack_six_bits(packed: Tensor) -> Tensor:
    """The reverse: bytes [N, 3 K] -> int8 [N, 4 K]."""
    import torch

    x, y, z = packed.view(packed.shape[0], -1, 3).unbind(-1)
    values = torch.stack([x & 63, x >> 6 | (y & 15) << 2, y >> 4 | (z & 3) << 4, z >> 2], -1)
    return values.flatten(1).to(torch.int8) - 32


def fingerprint(folder: Path) -> str:
    """sha256, in hex, over the names and contents of configuration, weights and tokenizer."""
    folder = Path(folder)
    weights = [folder / INDEX, *_shards(folder)] if _is_sharded(folder) else [folder / SINGLE]
    digest = hashlib.sha256()
    for path in (folder / "config.json", *weights, folder / "tokenizer.json"):
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise CheckpointError(f"{path}: {error.strerror}") from None
        digest.update(f"{path.name} {content}\n".encode())
    return digest.hexdigest()


def _build(folder: Path) -> nn.Module:
    from engine.model.encoder import MSAEncoder
    from engine.model.qwen3 import Qwen3MSA

    path = folder / "config.json"
    raw = read_config(folder)
    try:
        config = ModelConfig.from_dict(raw)
        if config.model_type != DECODER:
            return MSAEncoder(config)
        for key, only in _ONLY.items():
            if raw.get(key, only) != only:
                raise CheckpointError(f"config.json: {key} = {raw[key]!r} is not supported, only {only!r}")
        return Qwen3MSA(config)
    except CheckpointError as error:
        raise CheckpointError(f"{folder}: {error}") from None
    except (TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError) as error:
        raise CheckpointError(f"{path}: not a usable configuration ({_one_line(error)})") from None


@contextmanager
def _without_storage() -> Iterator[None]:
    """Modules built inside have shapes but no memory, and are not initialised."""
    import torch
    from torch.overrides import TorchFunctionMode

    class NoInitialisation(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            # On a tensor without memory normal_ is pointless, and imports torch's compiler: a second of start-up.
            # It arrives as nn.init's function or as the tensor's method, by version of torch.
            return None if getattr(func, "__name__", "") == "normal_" else func(*args, **(kwargs or {}))

    with torch.device("meta"), NoInitialisation():
        yield


def _is_sharded(folder: Path) -> bool:
    return not (folder / SINGLE).exists() and (folder / INDEX).exists()


def _shards(folder: Path) -> list[Path]:
    return sorted(set(_weight_map(folder).values()))


def _weight_map(folder: Path) -> dict[str, Path]:
    """Key -> shard, as the index says; a shard lies in the folder itself."""
    path = folder / INDEX
    try:
        names: Any = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        shards = {key: str(name) for key, name in names.items()}
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: not an index of shards ({_one_line(error)})") from None
    for key, name in shards.items():
        if Path(name).name != name:
            raise CheckpointError(f"{path}: {key} is said to be in {name!r}, which is not a file name")
    return {key: folder / name for key, name in shards.items()}


def _locate(folder: Path) -> dict[str, Path]:
    """Every key of the folder -> the file that holds it."""
    if not _is_sharded(folder):
        with ExitStack() as stack:
            return dict.fromkeys(_open(folder / SINGLE, stack).keys(), folder / SINGLE)
    files = _weight_map(folder)
    with ExitStack() as stack:
        shards = {path: _open(path, stack) for path in sorted(set(files.values()))}
        for path, shard in shards.items():
            listed = {key for key, place in files.items() if place == path}
            for key in sorted(listed ^ set(shard.keys())):
                reason = f"is missing, though {INDEX} lists it" if key in listed else f"is not listed in {INDEX}"
                raise CheckpointError(f"{path}: {key} {reason}")
    return files


def _compare_names(folder: Path, files: Mapping[str, Path], expected: Mapping[str, Any]) -> None:
    missing = sorted(expected.keys() - files.keys())
    if missing:
        path = folder / (INDEX if _is_sharded(folder) else SINGLE)
        raise CheckpointError(f"{path}: {missing[0]} is missing{_and_more(missing)}")
    scales = {name + SCALE for name in expected}
    # A tied model's file may still hold the output matrix.
    extra = sorted(files.keys() - expected.keys() - scales - KNOWN_EXTRA - {"lm_head.weight"})
    if extra:
        raise CheckpointError(f"{files[extra[0]]}: {extra[0]} is unexpected{_and_more(extra)}")


def _read(
    files: Mapping[str, Path], names: Any, device: str, dtype: torch.dtype
) -> Iterator[tuple[Path, str, Tensor]]:
    """(file, name, tensor) one at a time, 8-bit and 6-bit weights expanded by their scales; `names` None reads all."""
    import torch
    from safetensors import SafetensorError

    with ExitStack() as stack:
        opened = {path: _open(path, stack) for path in sorted(set(files.values()))}
        for name, path in files.items():
            companion = name.endswith(SCALE) and name.removesuffix(SCALE) in files
            if companion or (names is not None and name not in names):
                continue
            try:
                stored = opened[path].get_tensor(name)
                if stored.dtype not in (torch.int8, torch.uint8):
                    # A copy: a tensor left on the mapped file dies with it (SIGBUS) when the file is overwritten.
                    tensor = stored.to(device, dtype, copy=True)
                else:
                    if name + SCALE not in files:
                        raise CheckpointError(f"{path}: {name}{SCALE} is missing, but {name} is {stored.dtype}")
                    scale = opened[files[name + SCALE]].get_tensor(name + SCALE)
                    if stored.ndim != 2 or scale.shape != stored.shape[:1]:
                        raise CheckpointError(f"{path}: {name}{SCALE} does not have one value a row of {name}")
                    if stored.dtype == torch.uint8:
                        if stored.shape[1] % 3:
                            raise CheckpointError(f"{path}: {name} is uint8, but not four values in three bytes")
                        stored = unpack_six_bits(stored)
                    tensor = stored.float().mul_(scale.float()[:, None]).to(device, dtype)
            except SafetensorError as error:
                raise CheckpointError(f"{path}: {name} cannot be read ({_one_line(error)})") from None
            yield path, name, tensor


def _open(path: Path, stack: ExitStack) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        return stack.enter_context(safe_open(path, framework="pt"))
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or _one_line(error)}") from None
    except SafetensorError as error:
        raise CheckpointError(f"{path}: not a safetensors file ({_one_line(error)})") from None


def _and_more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
