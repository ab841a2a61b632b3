"""The scale benchmark: needles are in the corpus once and truly encoded, other states are drawn, and it reports."""

import json
import random

import torch

from benchmarks.needles import Maker
from benchmarks.scale import MARK, build, measure, what_it_took, write_corpus
from engine.model.loading import load_memory_model
from engine.places import bundled_model

SENTENCES = "The ferry leaves the pier. Nobody reads the old maps. Grain is stored in the barn. A lamp burns all night.".split(". ")


def test_a_memory_of_drawn_states_finds_its_needles(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.encoding.COMMIT_CHARACTERS", 8000)
    rng, maker = random.Random(3), Maker(4)
    source, corpus = tmp_path / "source", tmp_path / "corpus"
    source.mkdir(), corpus.mkdir()
    texts = ["\n".join(". ".join(rng.choices(SENTENCES, k=6)) + "." for _ in range(12)) for _ in range(30)]
    (source / "a.jsonl").write_text("\n".join(json.dumps({"id": str(i), "title": f"Page {i}", "text": t}) for i, t in enumerate(texts)))
    needles = [maker.needle("single 2") for _ in range(3)]
    write_corpus(source, corpus, 8000, needles, rng)
    written = "".join(path.read_text() for path in corpus.iterdir())
    assert all(written.count(line) == 1 for needle in needles for line in needle.lines)

    model = load_memory_model(bundled_model(), "cpu")
    truly = []
    encode = model.encode_documents
    model.encode_documents = lambda documents: truly.extend(documents) or encode(documents)
    report, seat = build(tmp_path / "memory", corpus, model, 1)
    assert sum(MARK in text for _, text in truly) == 3 and len(truly) < report.documents
    assert seat.encoded + seat.resampled == report.tokens and seat.resampled > 0 and what_it_took(report, seat)["ingest_tokens_per_s"] > 0

    result = measure(tmp_path / "memory", None, needles, cold=1)
    wanted = "tokens bytes_per_token router_bytes_per_token route_ms ask_ms_cold ask_ms_warm peak_rss_mb needle_accuracy"
    assert result.keys() >= set(wanted.split()) and result["tokens"] == report.tokens
    assert result["needle_accuracy"] == 100.0
    assert torch.isfinite(torch.tensor([result[k] for k in wanted.split()])).all()
