"""The larger reader: it computes what transformers' own MPNet does, learns, resumes, and its soft labels teach the student."""

import json
import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip("transformers")
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
sys.path.insert(0, str(Path(__file__).parent))

from safetensors.torch import save_file  # noqa: E402
from test_dry_run import samples, settings, start  # noqa: E402, F401
from tokenizers import Tokenizer  # noqa: E402
from transformers import MPNetConfig, MPNetModel  # noqa: E402

from engine.model.checkpoint import load_tensors  # noqa: E402
from training.teach import main as teach  # noqa: E402
from training.teacher import RENAMED, load_teacher  # noqa: E402
from training.train import train  # noqa: E402
from training.train_teacher import train as train_teacher  # noqa: E402

CONFIG = Path(__file__).parents[2] / "training" / "configs" / "teacher.json"


@pytest.fixture
def published(start: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A tiny random MPNet in the published layout, its vocabulary the student's under other numbers."""
    folder = tmp_path / "mpnet"
    folder.mkdir()
    tokens = sorted(Tokenizer.from_file(str(start / "tokenizer.json")).get_vocab())
    tokens = list(dict.fromkeys(["<s>", "<pad>", "</s>", "[UNK]", *(RENAMED.get(t, t) for t in tokens)]))
    vocabulary = {token: number for number, token in enumerate(tokens)}
    spec = {"version": "1.0", "added_tokens": [], "model": {"type": "WordPiece", "vocab": vocabulary, "unk_token": "[UNK]"}}
    spec["model"] |= {"continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
    (folder / "tokenizer.json").write_text(json.dumps(spec))
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = MPNetConfig(vocab_size=len(tokens), max_position_embeddings=514, hidden_dropout_prob=0.0, **sizes)
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    save_file(MPNetModel(config, add_pooling_layer=False).state_dict(), folder / "model.safetensors")
    return folder


def test_it_reads_the_students_rows_as_transformers_would(published: Path, start: Path):  # noqa: F811
    student = Tokenizer.from_file(str(start / "tokenizer.json"))
    model = load_teacher(published, student).eval()
    ids = torch.tensor([student.encode("the key hangs in may").ids, student.encode("high water").ids + [0] * 3])[:, :5]
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    own = Tokenizer.from_file(str(published / "tokenizer.json"))
    assert own.id_to_token(int(model.numbers[ids[0, 0]])) == RENAMED.get(student.id_to_token(int(ids[0, 0])), student.id_to_token(int(ids[0, 0])))
    with torch.no_grad():
        got = model.encode_reading(ids, mask, torch.zeros_like(ids))
        numbers = model.numbers[ids].masked_fill(mask == 0, model.mpnet.config.pad_token_id)
        wanted = model.mpnet(input_ids=numbers, attention_mask=mask).last_hidden_state
    assert torch.allclose(got[mask.bool()], wanted[mask.bool()], atol=1e-5)


def test_it_learns_and_what_it_says_teaches(published: Path, start: Path, samples: Path, tmp_path: Path, monkeypatch):  # noqa: F811
    config = {**json.loads(CONFIG.read_text()), "quotas": {"t": 16}, "batch_size": 4, "log_every": 1, "save_every": 2, "steps": 4}
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train_teacher(published, start, samples, whole, config, resume=False)
    train_teacher(published, start, samples, parts, {**config, "steps": 2}, resume=False)
    train_teacher(published, start, samples, parts, config, resume=True)
    before, after, resumed = (load_tensors(folder) for folder in (published, whole, parts))
    assert not torch.equal(before["encoder.layer.0.attention.attn.q.weight"].bfloat16(), after["mpnet.encoder.layer.0.attention.attn.q.weight"])
    assert all(torch.equal(after[name], resumed[name]) for name in after)

    taught = [json.loads(line) for line in (whole / "taught.jsonl").open()]
    assert {line["step"] for line in taught} == {0, 1, 2, 3}
    assert all({0, *line["places"]} >= {token for token, _ in line["starts"]} for line in taught)
    assert all(abs(sum(line["kinds"]) - 1) < 1e-3 for line in taught)

    arguments = [str(p) for p in (whole, start, samples, tmp_path / "more.jsonl")]
    (tmp_path / "config.json").write_text(json.dumps(config))
    monkeypatch.setattr(sys, "argv", ["teach", *arguments, "--config", str(tmp_path / "config.json"), "--steps", "3:5"])
    teach()
    more = [json.loads(line) for line in (tmp_path / "more.jsonl").open()]
    again = [line for line in more if line["step"] == 3]
    assert {line["step"] for line in more} == {3, 4} and [line["ids"] for line in again] == [line["ids"] for line in taught if line["step"] == 3]

    mined = tmp_path / "mined.jsonl"
    rows = [json.loads(line) for line in samples.open()]
    wrong = [{"title": "", "text": f"High water is at {n}."} for n in (1, 2)]
    mined.write_text("".join(json.dumps({**row, "negatives": wrong, "after": []}) + "\n" for row in rows if row["kind"] == "span" and len(row["golds"]) == 1))
    arguments[2:] = [str(mined), str(tmp_path / "groups.jsonl")]
    (tmp_path / "config.json").write_text(json.dumps({**config, "group_size": 2, "group_without": 0.0}))
    monkeypatch.setattr(sys, "argv", ["teach", *arguments, "--config", str(tmp_path / "config.json"), "--steps", "0:2", "--mined"])
    teach()
    groups = [json.loads(line) for line in (tmp_path / "groups.jsonl").open()]
    assert len(groups) == 8 and [line["start"] > 0 for line in groups[::2]] == [True] * 4 and not any(line["start"] for line in groups[1::2])

    wanted = {**settings(6), "joint_every": 3, "reading_batch_size": 4, "taught_share": 0.7}
    wanted["weights"] = {**wanted["weights"], "span_taught": 1.0}
    train(start, samples, tmp_path / "student", wanted, resume=False, taught_file=whole / "taught.jsonl")
    log = [json.loads(line) for line in (tmp_path / "student" / "log.jsonl").open()]
    assert ["span_taught" in line for line in log] == [False, True, True, False, True, True]
    student, learned = load_tensors(start), load_tensors(tmp_path / "student")
    assert not torch.equal(student["heads.span.weight"], learned["heads.span.weight"])
