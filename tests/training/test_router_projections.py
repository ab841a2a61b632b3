"""The router's projections alone: kept states route exactly as the model does, and training on them learns."""

import json
import random
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import CONFIG, save_model  # noqa: E402

from engine.model.checkpoint import load_tensors  # noqa: E402
from training.router_states import encode, of_samples  # noqa: E402
from training.step import Documents, routing  # noqa: E402
from training.train import load  # noqa: E402
from training.train_router import Projections, States, best, means, recall, train  # noqa: E402

TEXTS = ("Mina works in Lisbon.", "The key hangs at the door and the fern needs shade and water in May.", "High water at noon.")
SETTINGS = {"seed": 1, "steps": 60, "batch_size": 16, "lr": 1e-2, "temperature": 0.1, "pull": 0.0, "mined_from": 8, "mined": 4, "drawn": 10}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    router = {**CONFIG["msa_config"], "query_reduce_method": "mean"}
    made = save_model(tmp_path_factory.mktemp("router") / "tiny", msa_config=router)
    save_file(load_tensors(made), made / "model.safetensors")
    return made


def test_kept_states_route_as_the_model_does(folder: Path, tmp_path: Path):
    golds = [{"title": f"t{i}", "text": text, "spans": []} for i, text in enumerate(TEXTS)]
    samples = [
        {"set": "a", "question": "who works where", "golds": golds[:2], "negatives": golds[2:]},
        {"set": "b", "question": "when", "golds": golds[2:], "negatives": []},
        {"set": "left out", "question": "what", "golds": golds[:1], "negatives": []},
    ]
    queries = of_samples(samples, {"a": 9, "b": 9}, 1, random.Random(1))
    assert [(q, len(read)) for q, read in queries.asked] == [("who works where", 0), ("who works where", 1), ("when", 0)]
    tensors, names = encode(folder, queries)
    save_file(tensors, tmp_path / "states", {"sets": json.dumps(names)})
    states = States(tmp_path / "states")
    model, inputs = load(folder)
    attention = model.layers["2"].self_attn
    projections = Projections(attention.router_q_proj[0].weight.detach(), attention.router_k_proj[0].weight.detach())
    scores = best(projections.ask(*states.queries([0, 1, 2])) @ projections.keys(states.chunks).T, states.chunk_document, 3)

    documents = Documents(model, inputs.documents(queries.passages), 8)
    for i, (question, read) in enumerate(queries.asked):
        row = inputs.active(question, [queries.passages[d] for d in read])
        x = model.encode_backbone(torch.tensor([row.ids]), torch.ones(1, len(row.ids), dtype=torch.bool), torch.tensor([row.segments]))
        expected = routing(model, x, torch.tensor([row.routing]).float(), documents)[0]
        assert torch.allclose(scores[i], expected, atol=2e-3)
    assert states.wanted[1] == [d for d in (0, 1) if d not in states.read[1]]


def test_training_finds_what_is_wanted(tmp_path: Path):
    """Wanted documents are a rotation of the question, which projections can learn."""
    generator = torch.Generator().manual_seed(2)
    n, d = 60, 16
    chunks = torch.randn(n, d, generator=generator)
    turn = torch.linalg.qr(torch.randn(d, d, generator=generator))[0]
    kept = {
        "chunks": chunks.half(),
        "chunk_document": torch.arange(n),
        "tokens": ((chunks @ turn).repeat_interleave(2, 0) + 0.1 * torch.randn(2 * n, d, generator=generator)).half(),
        "first_token": torch.arange(n + 1) * 2,
        "wanted": torch.arange(n)[:, None].repeat(1, 2),
        "read": torch.empty(0, 2, dtype=torch.int64),
        "set": torch.arange(n) % 2,
        "hop": torch.arange(n) % 2,
    }
    save_file(kept, tmp_path / "states", {"sets": json.dumps(["a", "b"])})
    states = States(tmp_path / "states")
    model = Projections(torch.eye(d), torch.eye(d))
    before = means(recall(model, states))
    train(model, states, SETTINGS, log=False)
    after = means(recall(model, states))
    assert before["first R@1"] < 20 and after["first R@1"] > 80 and after["hop R@1"] > 80
    pulled = Projections(torch.eye(d), torch.eye(d))
    train(pulled, states, {**SETTINGS, "pull": 10.0}, log=False)
    assert pulled.pull() < model.pull() / 10
