"""The query adapter: nothing changes until it has learned, only queries with evidence then change, and it learns."""

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from tiny import CONFIG, save_model  # noqa: E402

from engine.model.checkpoint import load_tensors  # noqa: E402
from engine.model.inputs import pad  # noqa: E402
from engine.model.interface import Context, Evidence  # noqa: E402
from engine.model.loading import load_memory_model  # noqa: E402
from training.export import export  # noqa: E402
from training.train import load  # noqa: E402
from training.train_adapter import Hops, Routing, of_samples, train, with_adapter  # noqa: E402

TEXTS = ("Mina works in Lisbon.", "The key hangs at the door.", "The fern needs shade and water in May.", "High water at noon.")
SETTINGS = {"seed": 1, "rank": 4, "steps": 40, "warmup": 2, "batch_size": 4, "lr": 2e-2, "weight_decay": 0.0,
            "temperature": 0.1, "strength": 1.0, "log_every": 20, "save_every": 40}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    router = {**CONFIG["msa_config"], "query_reduce_method": "mean"}
    made = save_model(tmp_path_factory.mktemp("adapter") / "tiny", reader_layers=2, msa_config=router)
    save_file(load_tensors(made), made / "model.safetensors")
    return made


def hops() -> Hops:
    made = Hops()
    numbers = [made.passage("t", text) for text in TEXTS]
    # What is wanted has nothing to do with how alike the texts are: it must be learned.
    made.queries = [("a", "who then", [numbers[i]], [numbers[(i + 1) % 4]]) for i in range(4)]
    return made


def test_it_learns_and_nothing_else_changes(folder, tmp_path):
    torch.manual_seed(1)
    model = with_adapter(folder, 4, tmp_path / "out")
    routing = Routing(model, load(folder)[1], hops())
    before = routing.recall()["a"]
    train(model, routing, SETTINGS, tmp_path / "out", lambda step: None)
    after = routing.recall()["a"]
    assert before[0] < 100 and after[0] == 100.0 and after[-1] == 4
    old, new = load_tensors(folder), load_tensors(tmp_path / "out")
    changed = {name for name in new if name not in old or not torch.equal(old[name], new[name])}
    assert changed and all(name.startswith("query_adapter.") for name in changed) and old.keys() <= new.keys()


def test_only_queries_with_evidence_go_through_it(folder, tmp_path):
    torch.manual_seed(1)
    model, inputs = with_adapter(folder, 4, tmp_path / "out"), load(folder)[1]
    rows = [inputs.active("who then", []), inputs.active("who then", [("t", TEXTS[0])])]
    for row, expected in zip(rows, (True, False), strict=True):
        ids, mask = pad([row.ids])
        segments = pad([row.segments])[0]
        plain = model.encode_backbone(ids, mask, segments)
        # B is zero before training.
        assert torch.equal(model.encode_query(ids, mask, segments), plain)
        for layer in model.query_adapter:
            layer["qkv_proj"].b.data.fill_(0.1)
        assert torch.equal(model.encode_query(ids, mask, segments), plain) is expected
        for layer in model.query_adapter:
            layer["qkv_proj"].b.data.zero_()


def test_it_travels_in_the_exported_model(folder, tmp_path):
    torch.manual_seed(1)
    out = tmp_path / "out"
    model = with_adapter(folder, 4, out)
    train(model, Routing(model, load(folder)[1], hops()), SETTINGS, out, lambda step: None)
    (out / "policy.json").write_text("{}")
    export(out, tmp_path / "bundled")
    shipped = load_memory_model(tmp_path / "bundled", "cpu")
    assert json.loads((tmp_path / "bundled" / "config.json").read_text())["query_adapter_rank"] == 4
    context = Context("who then", (Evidence(1, "t", TEXTS[0]),))
    seen = []

    class Kept:
        def scores(self, layer, query, mask):
            seen.append(query)
            return query

    shipped.route([context], Kept())
    row = shipped.inputs.active("who then", [("t", TEXTS[0])])
    x = model.encode_query(*(pad([r])[0] if i != 1 else pad([row.ids])[1] for i, r in enumerate((row.ids, row.ids, row.segments))))
    assert torch.allclose(seen[0], model.first_router_query(x), atol=0.05)


def test_samples_become_hops():
    import random

    gold = [{"title": "t", "text": text, "spans": []} for text in TEXTS]
    samples = [
        {"set": "a", "question": "q", "golds": gold[:2], "negatives": gold[2:]},
        {"set": "a", "question": "one passage", "golds": gold[:1], "negatives": gold[2:]},
        {"set": "left out", "question": "r", "golds": gold[:2], "negatives": []},
    ]
    made = of_samples(samples * 30, {"a": 60}, random.Random(1))
    assert {q for _, q, _, _ in made.queries} == {"q"} and len(made.queries) == 60
    asked = {(tuple(read), tuple(wanted)) for _, _, read, wanted in made.queries}
    assert asked == {((0,), (1,)), ((1,), (0,)), ((2,), (0, 1))}
