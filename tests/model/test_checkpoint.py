"""Checkpoint folders: what is read back, and that every broken folder is one clear sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import CheckpointError
from engine.model.checkpoint import (
    fingerprint,
    load_model,
    load_tensors,
    pack_six_bits,
    save_quantised,
    unpack_six_bits,
)
from engine.model.config import ModelConfig
from engine.model.encoder import MSAEncoder
from engine.model.qwen3 import Qwen3MSA
from engine.model.tokenizer import load_tokenizer
from engine.places import bundled_model

DATA = Path(__file__).parent / "data"
PROJECTION = "model.layers.1.mlp.up_proj.weight"
ENCODER = {
    "model_type": "msa_encoder",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "backbone_layers": 1,
    "backbone_heads": 2,
    "backbone_intermediate_size": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 4,
    "intermediate_size": 24,
    "vocab_size": 50,
    "max_position_embeddings": 64,
    "msa_config": {
        "router_layer_idx": "1",
        "top_k_docs": 2,
        "pooling_kernel_size": 8,
        "query_reduce_method": "mean",
        "aux_loss_method": "INFONCE",
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the first published-layout checkpoint that a test may break."""
    target = tmp_path / "model"
    target.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (target / name).write_bytes((DATA / "ckpt_a" / name).read_bytes())
    return target


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def shard(folder: Path) -> dict:
    """Replace model.safetensors by three shards and their index, which is returned."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    weight_map = {name: f"model-{i % 3 + 1:05}-of-00003.safetensors" for i, name in enumerate(names)}
    for file in set(weight_map.values()):
        save_file({name: tensors[name] for name in names if weight_map[name] == file}, folder / file)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return index


def rewrite(folder: Path, change) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def refused(folder: Path, *words: str, load=load_model) -> None:
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_parameters_carry_the_published_names() -> None:
    for name in ("a", "b"):
        model = load_model(DATA / f"ckpt_{name}")
        assert isinstance(model, Qwen3MSA)
        assert not model.training
        published = load_file(DATA / f"ckpt_{name}" / "model.safetensors")
        assert set(model.state_dict()) == set(published) - {"temperature"}
        for key, tensor in model.state_dict().items():
            assert torch.equal(tensor, published[key]), key
        assert all(p.device.type == "cpu" for p in model.parameters())


def test_other_dtype() -> None:
    model = load_model(DATA / "ckpt_a", dtype=torch.bfloat16)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}


def test_half_precision_weights_become_float32(folder: Path) -> None:
    rewrite(folder, lambda tensors: tensors.update({k: v.bfloat16() for k, v in tensors.items()}))
    assert {p.dtype for p in load_model(folder).parameters()} == {torch.float32}


def test_sharded_equals_single(folder: Path) -> None:
    single = load_tensors(folder)
    shard(folder)
    sharded = load_tensors(folder)
    assert sharded.keys() == single.keys()
    assert all(torch.equal(sharded[name], single[name]) for name in single)
    assert isinstance(load_model(folder), Qwen3MSA)


def test_output_matrix_beside_tied_embeddings_is_ignored(folder: Path) -> None:
    change_config(folder, tie_word_embeddings=True)
    assert "lm_head.weight" not in load_model(folder).state_dict()


def test_missing_key(folder: Path) -> None:
    rewrite(folder, lambda tensors: tensors.pop(PROJECTION))
    refused(folder, "model.safetensors", PROJECTION, "missing")


def test_extra_key(folder: Path) -> None:
    rewrite(folder, lambda tensors: tensors.update({"model.layers.0.self_attn.q_proj.bias": torch.zeros(64)}))
    refused(folder, "model.safetensors", "q_proj.bias", "unexpected")


def test_wrong_shape(folder: Path) -> None:
    rewrite(folder, lambda tensors: tensors.update({PROJECTION: torch.zeros(3, 64)}))
    refused(folder, "model.safetensors", PROJECTION, "[3, 64]", "[128, 64]")


@pytest.mark.parametrize("size", [0, 5, 2000, -1], ids=["empty", "no header", "in the header", "last byte"])
def test_truncated_weights(folder: Path, size: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    refused(folder, "model.safetensors", "not a safetensors file")


def test_no_files(tmp_path: Path, folder: Path) -> None:
    refused(tmp_path / "nowhere", "config.json", "No such file")
    (folder / "model.safetensors").unlink()
    refused(folder, "model.safetensors", "No such file")
    (folder / "tokenizer.json").unlink()
    refused(folder, "tokenizer.json", "No such file", load=load_tokenizer)


def test_broken_shards(folder: Path) -> None:
    index = shard(folder)
    path = folder / "model.safetensors.index.json"

    def with_map(**changes: str) -> None:
        path.write_text(json.dumps({"weight_map": index["weight_map"] | changes}))

    with_map(**{"model.layers.9.extra": "model-00001-of-00003.safetensors"})
    refused(folder, "model-00001-of-00003", "model.layers.9.extra", "missing")
    with_map(**{PROJECTION: "model-00009-of-00009.safetensors"})
    refused(folder, "model-00009-of-00009.safetensors", "No such file")
    with_map(**{PROJECTION: "../model.safetensors"})
    refused(folder, "index.json", PROJECTION, "not a file name")
    path.write_text(json.dumps({"weight_map": {k: v for k, v in index["weight_map"].items() if k != PROJECTION}}))
    refused(folder, index["weight_map"][PROJECTION], PROJECTION, "not listed")
    for text in ("{", "[]", '{"weight_map": 3}'):
        path.write_text(text)
        refused(folder, "index.json", "not an index")


@pytest.mark.parametrize("text", ["", "{", "[]", '"msa"', '{"model_type": "msa", "msa_config": 3}', "\xff"])
def test_config_that_is_none(folder: Path, text: str) -> None:
    (folder / "config.json").write_bytes(text.encode("latin-1"))
    refused(folder, "config.json")


@pytest.mark.parametrize(
    "change", [{"hidden_act": "gelu"}, {"use_sliding_window": True}, {"hidden_size": "64"}, {"model_type": "llama"}]
)
def test_config_that_cannot_be_honoured(folder: Path, change: dict) -> None:
    change_config(folder, **change)
    refused(folder, "config.json")


def test_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer.json"
    raw = json.loads(path.read_text())
    raw["padding"] = {
        "strategy": {"Fixed": 32},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "!",
    }
    raw["truncation"] = {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}
    path.write_text(json.dumps(raw))
    plain = load_tokenizer(DATA / "ckpt_a").encode("the stone bridge by the mill").ids
    assert load_tokenizer(folder).encode("the stone bridge by the mill").ids == plain
    for text in (b"", b"{}", b"\xff\xfe"):
        path.write_bytes(text)
        refused(folder, "tokenizer.json", "not a tokenizer", load=load_tokenizer)


def test_encoder_in_8_and_6_bits(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(ENCODER))
    torch.manual_seed(1)
    state = MSAEncoder(ModelConfig.from_dict(ENCODER)).state_dict()
    state["word_embeddings.weight"][7] = 0
    state["word_embeddings.weight"][8] *= 1e-6
    save_quantised(state, tmp_path)
    model = load_model(tmp_path)
    assert isinstance(model, MSAEncoder)
    stored = load_file(tmp_path / "model.safetensors")
    for name, tensor in model.state_dict().items():
        assert tensor.dtype == torch.float32
        if tensor.ndim == 2:
            six = name == "word_embeddings.weight"
            assert stored[name].dtype == (torch.uint8 if six else torch.int8)
            assert stored[name].shape[1] == tensor.shape[1] * 3 // 4 if six else stored[name].shape == tensor.shape
            step = state[name].abs().amax(1, keepdim=True) / (31 if six else 127)
            assert ((tensor - state[name]).abs() <= 0.501 * step).all(), name
        else:
            assert torch.equal(tensor, state[name]), name


def test_six_bits_hold_every_value() -> None:
    q = torch.arange(-32, 32, dtype=torch.int8).repeat(3)[torch.randperm(192)].view(4, 48)
    packed = pack_six_bits(q)
    assert packed.shape == (4, 36) and packed.dtype == torch.uint8
    assert torch.equal(unpack_six_bits(packed), q)


def test_8_bits_without_or_with_wrong_scales(folder: Path) -> None:
    state = load_model(folder).state_dict()
    save_quantised(state, folder)
    rewrite(folder, lambda tensors: tensors.pop(PROJECTION + ".scale"))
    refused(folder, "model.safetensors", PROJECTION + ".scale", "missing")
    save_quantised(state, folder)
    rewrite(folder, lambda tensors: tensors.update({PROJECTION + ".scale": torch.ones(3)}))
    refused(folder, "model.safetensors", PROJECTION + ".scale")


def test_fingerprint_covers_every_file(folder: Path) -> None:
    before = fingerprint(folder)
    assert before == fingerprint(folder) == fingerprint(DATA / "ckpt_a")
    assert len(before) == 64
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        path = folder / name
        content = bytearray(path.read_bytes())
        content[-2] ^= 1
        path.write_bytes(content)
        assert fingerprint(folder) != before, name
        content[-2] ^= 1
        path.write_bytes(content)
    index = shard(folder)
    sharded = fingerprint(folder)
    assert sharded != before
    path = folder / index["weight_map"][PROJECTION]
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    assert fingerprint(folder) != sharded
    path.unlink()
    refused(folder, path.name, "No such file", load=fingerprint)


@pytest.mark.parametrize("folder", [DATA / "ckpt_a", bundled_model()])
def test_fingerprint_needs_no_torch_and_loading_no_compiler(folder: Path) -> None:
    code = (
        "import sys; from engine.model.checkpoint import fingerprint, load_model; folder = sys.argv[1]\n"
        "fingerprint(folder); assert 'torch' not in sys.modules\n"
        "load_model(folder); assert not {'torch._dynamo', 'sympy'} & set(sys.modules)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, cwd=root)
