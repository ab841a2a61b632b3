"""The decoder without memory against Qwen3 of the transformers library: an independent second check."""

from __future__ import annotations

import pytest
import torch

from engine.model.config import ModelConfig
from engine.model.qwen3 import Qwen3MSA

transformers = pytest.importorskip("transformers")

SIZES = {
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "intermediate_size": 80,
    "vocab_size": 97,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5,
}
ROUTER = {
    "router_layer_idx": "2",
    "top_k_docs": 2,
    "pooling_kernel_size": 4,
    "query_reduce_method": "max",
    "aux_loss_method": "INFONCE",
}


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def pair(request):
    """Their model and ours with the same random weights, spread so that norms and attention matter."""
    torch.manual_seed(3)
    sizes = SIZES | {"tie_word_embeddings": request.param}
    theirs = transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(**sizes, rope_parameters={"rope_type": "default", "rope_theta": 5000.0})
    ).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, mean=float(parameter.ndim == 1), std=0.2)
    ours = Qwen3MSA(ModelConfig.from_dict(sizes | {"model_type": "msa", "rope_theta": 5000.0, "msa_config": ROUTER}))
    state = {name: tensor for name, tensor in theirs.state_dict().items() if name in ours.state_dict()}
    missing = ours.load_state_dict(state, strict=False).missing_keys
    assert all("router" in name for name in missing)
    return theirs, ours.eval()


@torch.no_grad()
def test_logits_of_a_padded_batch(pair) -> None:
    theirs, ours = pair
    ids = torch.randint(0, SIZES["vocab_size"], (3, 40))
    mask = torch.arange(40) < torch.tensor([[40], [17], [1]])
    expected = theirs(ids, attention_mask=mask.long()).logits
    torch.testing.assert_close(ours.logits(ours(ids, mask))[mask], expected[mask], rtol=0, atol=1e-4)


@torch.no_grad()
def test_logits_of_tokens_fed_in_pieces(pair) -> None:
    theirs, ours = pair
    ids = torch.randint(0, SIZES["vocab_size"], (1, 30))
    cache = ours.empty_cache()
    hidden = torch.cat([ours.feed(piece.tolist(), cache) for piece in ids[0].split([11, 1, 1, 12, 5])])
    assert cache.position == 30
    torch.testing.assert_close(ours.logits(hidden), theirs(ids).logits[0], rtol=0, atol=1e-4)
