"""What training starts from in tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import save_model  # noqa: E402

from engine.model.checkpoint import load_tensors  # noqa: E402


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """The tiny model with float32 weights, as a training run starts from."""
    from safetensors.torch import save_file

    folder = save_model(tmp_path / "start", reader_layers=2)
    save_file(load_tensors(folder), folder / "model.safetensors")
    return folder
