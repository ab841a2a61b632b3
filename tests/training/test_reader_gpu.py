"""Packed samples, the flat reader and the run on them: as text and padded rows would have it, on a tiny model."""

import json
import random
import sys
from pathlib import Path

import pytest
import torch

from engine.model.checkpoint import load_tensors, quantised
from engine.model.loading import load_memory_model
from training import losses, train_reader
from training.average import average
from training.batches import IGNORED
from training.changed import changed
from training.flat_forward import Attend, by_row, padded, states
from training.packed import Drawn, Packed, PackedSteps, Packer, flat
from training.train import load

CONFIGURATION = Path(__file__).parents[2] / "training" / "configs" / "reader_gpu.json"
SETTINGS = json.loads(CONFIGURATION.read_text()) | {"masked": [0.0, 0.0], "batch_size": 8, "least_tokens": 4, "layers": [0, 1, 1]}
TEXT = "Mina works in {place}. The key hangs at number {key} for the water. The rest lapses in the office at noon in March."


def samples() -> list[dict]:
    rows = []
    for place, key in (("Lisbon", "14"), ("May", "5"), ("noon", "4"), ("March", "8")):
        text = TEXT.format(place=place, key=key)
        at = text.index(f" {key} ") + 1
        gold = {"title": "key", "text": text, "spans": [[at, at + len(key)]]}
        wrong = {"title": "", "text": f"The fern of {place} needs shade and water."}
        other = {"title": "place", "text": f"{place} is in the high water.", "spans": []}
        question = f"what number is in {place}"
        row = {"set": "t", "question": question, "negatives": [wrong]}
        rows += [
            {**row, "kind": "span", "golds": [gold]},
            {**row, "kind": "span", "golds": [gold, other]},
            {**row, "kind": "null", "golds": []},
            {**row, "question": f"is it {place}", "kind": "no", "golds": [gold]},
            {**row, "question": f"is it {key}", "kind": "unsaid", "golds": [other], "judged": True},
            {**row, "question": f"where is {key}", "kind": "span", "golds": [gold], "worded": True},
        ]
    return rows


@pytest.fixture
def packed(start: Path, tmp_path: Path) -> Packed:
    inputs = load(start)[1]
    packer = Packer(inputs, {"seed": 1, "passage_characters": [900, 1000], "packed_without": 1.0})
    for sample in samples():
        packer.add(sample)
    packer.save(tmp_path / "packed.safetensors")
    return Packed([tmp_path / "packed.safetensors"], SETTINGS, inputs)


def test_what_is_drawn_has_the_answer_where_it_says(packed: Packed, start: Path):
    tokenizer, seen = load(start)[1].tokenizer, set()
    for number in range(len(packed.rows)):
        for seed in range(40):
            drawn = packed.draw(number, random.Random(seed))
            if drawn is None:
                continue
            batch = flat(packed, [drawn])
            first, last = batch.answer[0].tolist()
            seen.add((len(drawn.contexts), drawn.wanted, drawn.kind, drawn.judgement, min(first, 0)))
            if first >= 0:
                assert tokenizer.decode(batch.ids[first : last + 1].tolist()) in ("14", "5", "4", "8")
                assert batch.places[first : last + 1].all() and int(batch.rows[first]) == int(batch.at[0])
            assert int(batch.starts[-1]) == len(batch.ids) and batch.longest <= 512
    assert {(2, 0, 0, IGNORED, 0), (1, -1, IGNORED, IGNORED, -1), (1, 0, 2, IGNORED, IGNORED), (1, 0, IGNORED, 0, IGNORED)} <= seen


def test_two_files_are_as_one(packed: Packed, start: Path, tmp_path: Path):
    file, count = tmp_path / "packed.safetensors", len(packed.rows)
    both = Packed([file, file], SETTINGS, load(start)[1])
    assert len(both.rows) == 2 * count
    for number in range(count):
        for seed in range(5):
            one, other = (both.draw(n, random.Random(seed)) for n in (number, number + count))
            assert (one is None) == (other is None)
            if one is not None:
                assert all(torch.equal(a, b) for a, b in zip(vars(flat(both, [one])).values(), vars(flat(both, [other])).values()) if isinstance(a, torch.Tensor))


@pytest.mark.parametrize("attend", [padded, by_row])
def test_flat_contexts_read_as_padded_rows_do(packed: Packed, start: Path, attend: Attend):
    model = load(start)[0].eval()
    batch = PackedSteps(packed, SETTINGS)[0]
    with torch.no_grad():
        before, after = states(model, batch, attend)
        for begin, stop in zip(batch.starts[:-1].tolist(), batch.starts[1:].tolist(), strict=True):
            ids, segments = batch.ids[None, begin:stop].long(), batch.segments[None, begin:stop]
            mask = torch.ones_like(ids, dtype=torch.bool)
            x = model.encode_reading(ids, mask, segments)
            torch.testing.assert_close(before[begin:stop], x[0], atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(after[begin:stop], model.active(x, mask, [None])[0], atol=1e-5, rtol=1e-4)


def test_pointing_in_groups_is_what_the_reference_says(packed: Packed, start: Path):
    model = load(start)[0].eval()
    gold, wrong = (0, 0, 12), (1, 0, 8)
    drawn = [Drawn(0, [[gold], [wrong]], 0, (0, 3, 4)), Drawn(0, [[wrong], [gold]], -1, ()), Drawn(0, [[gold, wrong]], 0, (1, 2, 2))]
    batch = flat(packed, drawn)
    with torch.no_grad():
        after = states(model, batch, padded)[1]
        got = train_reader.pointed(model, batch, after)
        for number, group in enumerate(drawn):
            rows = [r for r in batch.members[number].tolist() if r >= 0]
            cuts = [slice(int(batch.starts[r]), int(batch.starts[r + 1])) for r in rows]
            for which in (0, 1):
                logits = [model.heads.span(after[cut])[:, which] for cut in cuts]
                at = int(batch.answer[number, which]) - cuts[0].start if group.answer else 0
                expected = losses.pointed_among(logits, [batch.places[cut] for cut in cuts], 0, at)
                torch.testing.assert_close(got[number, which], expected, atol=1e-5, rtol=1e-4)


def test_a_run_deepens_learns_and_loads_again(packed: Packed, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    joint = tmp_path / "joint.jsonl"
    joint.write_text("".join(json.dumps(s) + "\n" for s in samples() if s["kind"] != "unsaid"))
    out = tmp_path / "run"
    settings = ["steps=6", "seconds=600", "batch_size=8", "joint_every=3", "joint_size=4", "log_every=2", "layers=[0,1,1]", "least_likely=-99", "masked=[0,0]"]
    arguments = [start, joint, out, tmp_path / "packed.safetensors", "--workers", 0, "--set", *settings]
    monkeypatch.setattr(sys, "argv", ["train_reader", *map(str, arguments)])
    train_reader.main()
    lines = [json.loads(line) for line in (out / "log.jsonl").open()]
    assert [line["step"] for line in lines] == [2, 4, 6] and "joint_span" in lines[0] and lines[0]["span"] > 0
    changed(start, out, tmp_path / "whole")
    model = load_memory_model(tmp_path / "whole", "cpu").model
    assert len(model.reader.layers) == 3 and model.judge is not None
    average(start, tmp_path / "whole", tmp_path / "mean", 0.25, [0, 1, 1])
    mean = load_tensors(tmp_path / "mean")
    # Not the model's: where a CPU multiplies in 8-bit integers its layers hold no such weights.
    before, after = load_tensors(start), load_tensors(tmp_path / "whole")
    up = [x[f"reader.layers.{n}.up_proj.weight"] for x, n in ((before, 1), (after, 2), (mean, 2))]
    assert torch.allclose(0.75 * up[0] + 0.25 * up[1], up[2], atol=1e-6)
    assert torch.equal(mean["judge.hidden.weight"], after["judge.hidden.weight"])
    assert torch.equal(before["word_embeddings.weight"], after["word_embeddings.weight"])
    assert not torch.allclose(before["reader.layers.1.up_proj.weight"], after["reader.layers.2.up_proj.weight"], atol=1e-5)


def test_reading_as_shipped_leaves_the_exact_weights(start: Path):
    model = load(start)[0]
    weight = model.reader.layers[0].up_proj.weight
    torch.nn.init.normal_(weight)
    exact = weight.detach().clone()
    with train_reader.as_shipped(model, True):
        q, scale = quantised(exact, 31)
        assert torch.equal(weight, q * scale[:, None]) and not torch.equal(weight, exact)
    assert torch.equal(weight, exact)
