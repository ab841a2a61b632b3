"""Growing a reader: it starts as what was trained, while documents and questions are compared as before training."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import save_model  # noqa: E402

from engine.model.checkpoint import load_tensors  # noqa: E402
from engine.model.loading import load_memory_model  # noqa: E402
from training.grow import grow  # noqa: E402


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    made = []
    for seed in (1, 2):
        folder = save_model(tmp_path / str(seed), seed=seed)
        save_file(load_tensors(folder), folder / "model.safetensors")
        made.append(folder)
    # The lowest layer and the embeddings are shared, as after training with them frozen.
    old = load_file(made[1] / "model.safetensors")
    state = load_file(made[0] / "model.safetensors")
    same = ("backbone.0.", "word_", "position_", "segment_", "embedding_")
    save_file({n: old[n] if n.startswith(same) else t for n, t in state.items()}, made[0] / "model.safetensors")
    return made


def test_reads_as_trained_and_routes_as_untrained(folders: list[Path], tmp_path: Path):
    trained, untrained = folders
    grow(trained, untrained, tmp_path / "grown", layers=1)
    grown, read, route = (load_memory_model(f, "cpu") for f in (tmp_path / "grown", trained, untrained))
    ids = torch.randint(4, 50, (2, 9), generator=torch.Generator().manual_seed(2))
    mask = torch.ones(2, 9, dtype=torch.bool)
    with torch.inference_mode():
        assert torch.equal(grown.model.encode_reading(ids, mask), read.model.encode_backbone(ids, mask))
        assert torch.equal(grown.model.encode_backbone(ids, mask), route.model.encode_backbone(ids, mask))
        pair = [("t", "The fern needs shade and water.")]
        keys = [m.encode_documents(pair)[0].router_keys for m in (grown, route, read)]
    assert torch.equal(keys[0], keys[1]) and not torch.equal(keys[0], keys[2])
