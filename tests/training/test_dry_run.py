"""The whole training step on a tiny model: it runs, learns, writes a loadable checkpoint, and resumes where it stopped."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from engine.model.checkpoint import load_tensors
from engine.model.loading import load_memory_model
from training.average import average
from training.export import export
from training.train import train

CONFIG = Path(__file__).parents[2] / "training" / "configs" / "reader.json"


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    rows = []
    for place, key in (("Lisbon", "14"), ("May", "5"), ("noon", "4"), ("March", "8")):
        text = f"The key hangs in {place} at number {key} for the water."
        at = text.index(key)
        gold = {"title": "key", "text": text, "spans": [[at, at + len(key)]]}
        wrong = {"title": "", "text": "The fern needs shade and water."}
        other = {"title": "place", "text": f"Mina works in {place}.", "spans": []}
        question = f"what number is in {place}"
        rows.append({"set": "t", "question": question, "kind": "span", "golds": [gold], "negatives": [wrong]})
        rows.append({"set": "t", "question": question, "kind": "span", "golds": [gold, other], "negatives": []})
        rows.append({"set": "t", "question": question, "kind": "null", "golds": [], "negatives": [wrong]})
        rows.append({"set": "t", "question": f"is it {place}", "kind": "yes", "golds": [gold], "negatives": [wrong]})
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def settings(steps: int) -> dict:
    wanted = {"steps": steps, "schedule_steps": 6, "warmup": 1, "joint_every": 2, "batch_size": 8, "save_every": 3}
    small = {"reading_batch_size": 8, "log_every": 1, "first_sample": 0, "candidates": 4}
    return {**json.loads(CONFIG.read_text()), **wanted, **small}


def everything(steps: int) -> dict:
    """The settings with every part learning and every loss counting."""
    read = settings(steps)
    losses = {**read["weights"], "router_asked": 1.0, "router_reading": 0.5, "distil": 0.5}
    return {**read, "lr_backbone": 1e-4, "lr_router": 1e-4, "weights": losses}


def test_runs_learns_and_resumes_exactly(start: Path, samples: Path, tmp_path: Path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(start, samples, whole, everything(6), resume=False)
    train(start, samples, parts, everything(3), resume=False)
    train(start, samples, parts, everything(6), resume=True, teacher_folder=start)

    log = [json.loads(line) for line in (whole / "log.jsonl").open()]
    assert [line["step"] for line in log] == [1, 2, 3, 4, 5, 6]
    assert {"router_asked", "document_reading", "span", "distil"} <= log[0].keys() and "router_asked" not in log[1]
    assert all(torch.isfinite(torch.tensor(v)) for line in log for v in line.values())

    before, after, resumed = load_tensors(start), load_tensors(whole), load_tensors(parts)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    parts_changed = {"layers.2.self_attn.router_q_proj.0.weight", "heads.span.weight", "reader.layers.0.o_proj.weight"}
    assert parts_changed | {"backbone.layers.0.o_proj.weight"} <= changed and "word_embeddings.weight" not in changed
    assert all(torch.allclose(after[name], resumed[name], atol=1e-6) for name in after)


def test_reading_alone_leaves_routing_as_it_was(start: Path, samples: Path, tmp_path: Path):
    train(start, samples, tmp_path / "read", settings(4), resume=False)
    before, after = load_tensors(start), load_tensors(tmp_path / "read")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"heads.span.weight", "reader.layers.1.o_proj.weight", "reader.position_embeddings.weight"} <= changed
    assert not any(name.startswith("backbone.") or "router_" in name or "input_layernorm" in name for name in changed)


def test_the_router_stage_leaves_reading_as_it_was(start: Path, samples: Path, tmp_path: Path):
    small = {"steps": 4, "schedule_steps": 4, "warmup": 1, "batch_size": 8, "log_every": 1, "save_every": 4, "candidates": 4}
    config = json.loads((CONFIG.parent / "router.json").read_text())
    train(start, samples, tmp_path / "routed", {**config, **small}, resume=False)
    before, after = load_tensors(start), load_tensors(tmp_path / "routed")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"backbone.layers.0.o_proj.weight", "layers.2.self_attn.router_k_proj.0.weight"} <= changed
    assert not any(name.startswith(("reader.", "heads.span")) for name in changed)


def test_what_was_trained_can_be_shipped(start: Path, samples: Path, tmp_path: Path):
    trained, shipped = tmp_path / "trained", tmp_path / "shipped"
    train(start, samples, trained, settings(2), resume=False)
    (trained / "policy.json").write_text('{"lexical_weight": 0.2}')
    export(trained, shipped)
    model = load_memory_model(shipped, "cpu")
    assert model.policy == {"lexical_weight": 0.2}
    (states,) = model.encode_documents([("key", "the key hangs in may")])
    assert states.router_keys.shape[0] == 1
    shutil.rmtree(shipped)


def test_the_mean_of_two_checkpoints(start: Path, samples: Path, tmp_path: Path):
    train(start, samples, tmp_path / "trained", settings(2), resume=False)
    average(start, tmp_path / "trained", tmp_path / "mean", 0.25)
    first, last, mean = (load_tensors(folder) for folder in (start, tmp_path / "trained", tmp_path / "mean"))
    assert all(torch.allclose(mean[n], 0.75 * first[n] + 0.25 * last[n], atol=1e-6) for n in mean)
    assert not torch.equal(mean["heads.span.weight"], first["heads.span.weight"])


def test_groups_of_mined_passages_train_relevance_and_resume(start: Path, samples: Path, tmp_path: Path):
    mined = tmp_path / "mined.jsonl"
    rows = [json.loads(line) for line in samples.open()]
    wrong = [{"title": "", "text": "The fern needs shade and water."}, {"title": "", "text": "High water is at noon."}]
    kept = [{**row, "negatives": wrong, "after": [wrong] * len(row["golds"])} for row in rows if row["golds"]]
    mined.write_text("".join(json.dumps(row) + "\n" for row in kept))
    grouped = json.loads((CONFIG.parent / "mined.json").read_text())
    wanted = {**settings(6), **{k: grouped[k] for k in ("group_size", "group_after", "group_without", "lr_relevance")}}
    wanted |= {"joint_every": 4, "group_every": 3, "groups": 4, "weights": grouped["weights"]}

    train(start, samples, tmp_path / "whole", wanted, resume=False, mined_file=mined)
    train(start, samples, tmp_path / "parts", {**wanted, "steps": 3}, resume=False, mined_file=mined)
    train(start, samples, tmp_path / "parts", wanted, resume=True, mined_file=mined)
    log = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").open()]
    # Steps 0 and 4 train everything, step 3 reads single contexts, the others groups.
    assert ["wanted_among" in line for line in log] == [False, True, True, False, False, True]
    assert all(torch.isfinite(torch.tensor(v)) for line in log for v in line.values())
    before, after = load_tensors(start), load_tensors(tmp_path / "whole")
    assert not torch.equal(before["heads.relevance.weight"], after["heads.relevance.weight"])
    resumed = load_tensors(tmp_path / "parts")
    assert all(torch.allclose(after[name], resumed[name]) for name in after)
