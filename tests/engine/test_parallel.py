"""Memory Parallel with real processes over gloo: the same documents whatever the number of ranks, and clear ends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny import SURE, save_model, write_files

from engine import Memory
from engine.parallel.memory import _together
from engine.parallel.sharded import ShardedStore
from engine.results import FailedSource, IngestReport

ROOT = Path(__file__).parents[2]
# Words weigh heavily: a shard's own counts of them would show.
LATER = {"later_place": -0.5, "later_routing": 2.0, "later_lexical": 0.5}
RANK = {"relevance": 1.0, "held": 1.0, "place": -0.5, "routing": 5.0, "lexical": 1.0, **LATER}
POLICY = {**SURE, "lexical_weight": 0.5, "rank": RANK}
QUESTIONS = ("Who books trains?", "When does the orchid bloom?", "Which desk is in Lisbon?")
RUN = """
import json, sys
from engine import Memory
store, model, files, questions = sys.argv[1:4] + [json.loads(sys.argv[4])]
with Memory.open(store, model=model, device="cpu", create=True) as memory:
    if memory.helper:
        memory.serve()
        raise SystemExit
    report = memory.ingest([files])
    again = memory.ingest([files])
    out = {"added": report.added, "unchanged": again.unchanged, "recalled": [], "answers": []}
    for question in questions:
        recalled = memory.recall(question, 5, max_hops=2).documents
        out["recalled"].append([[d.source, d.record, d.title, round(d.score, 4)] for d in recalled])
        answer = memory.ask(question)
        out["answers"].append([answer.answer, [[c.source, c.quote] for c in answer.citations]])
    print(json.dumps(out))
"""
ASK = """
import sys
from engine import Memory
with Memory.open(sys.argv[1], model=sys.argv[2], device="cpu") as memory:
    memory.recall("Who books trains?")
"""
DIE = """
import os, sys
from engine.parallel.ranks import Ranks
ranks = Ranks()
os._exit(9)
"""


def start(ranks: int, program: str, arguments: list[str], others: str | None = None) -> list[subprocess.Popen]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    group = {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(
            [sys.executable, "-c", program if rank == 0 or others is None else others, *arguments],
            env={**os.environ, **group, "RANK": str(rank), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(ranks)
    ]


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("parallel")
    return save_model(place / "model", policy=POLICY), write_files(place / "files")


@pytest.fixture(scope="module")
def alone(folders, tmp_path_factory) -> dict:
    """What one process finds."""
    model, files = folders
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path_factory.mktemp("alone") / "m"), str(model), str(files), json.dumps(QUESTIONS)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("ranks", [2, 4])
def test_the_same_documents_whatever_the_number_of_ranks(folders, alone, tmp_path, ranks):
    model, files = folders
    running = start(ranks, RUN, [str(tmp_path / "m"), str(model), str(files), json.dumps(QUESTIONS)])
    ended = [process.communicate(timeout=120) for process in running]
    assert [p.returncode for p in running] == [0] * ranks, ended
    assert json.loads(ended[0][0]) == alone
    assert alone["added"] == alone["unchanged"] > 3 and all(alone["recalled"])
    shards = [tmp_path / "m" / f"shard-{r}-of-{ranks}" for r in range(ranks)]
    held = [{s.name for s in Memory.open(shard).sources()} for shard in shards if (shard / "catalog.sqlite").exists()]
    assert len(held) > 1 and sum(map(len, held)) == len(set().union(*held)) == alone["added"]


def test_a_dead_rank_is_a_clear_error_at_once(folders, tmp_path):
    model, _ = folders
    running = start(2, ASK, [str(tmp_path / "m"), str(model)], others=DIE)
    ended = [process.communicate(timeout=60) for process in running]
    assert running[0].returncode == 1 and "RankError: rank 0 of 2: " in ended[0][1]


def test_what_a_rank_raises_is_raised_on_the_first(folders, tmp_path):
    model, _ = folders
    serve = ASK.replace('memory.recall("Who books trains?")', "memory.serve()")
    running = start(2, ASK, [str(tmp_path / "m"), str(model)], others=serve)
    ended = [process.communicate(timeout=60) for process in running]
    assert "NoMemoryError: There is no memory in shards at" in ended[0][1] and running[1].returncode == 0


def test_reports_of_all_ranks_add_up():
    failed, passed = FailedSource("a.pdf", "encrypted"), FailedSource("b.bin", "not text")
    one = IngestReport(added=2, tokens=10, seconds=1.5, failed=[failed], skipped=[passed], timings_ms={"read": 5.0})
    two = IngestReport(added=1, tokens=7, seconds=2.0, skipped=[passed], timings_ms={"read": 9.0, "store": 1.0})
    whole = _together([one, two])
    assert (whole.added, whole.tokens, whole.seconds, whole.failed, whole.skipped) == (3, 17, 2.0, [failed], [passed])
    assert whole.timings_ms == {"read": 9.0, "store": 1.0}


def test_documents_before_one_are_found_in_shards_as_in_one_memory(folders, tmp_path):
    model, _ = folders
    (tmp_path / "long.txt").write_text("\n\n".join("The keeper trims the wick of lamp {n} and writes it down. " * 9 for _ in range(9)))
    with Memory.open(tmp_path / "m", model=model, create=True) as memory:
        memory.ingest([tmp_path / "long.txt"])
        store = memory._asking().store
        ids = [row.id for row in store.source_documents(store.sources()[0].id)]
        assert len(ids) > 3 and [store.earlier(ids[-1], n) for n in range(len(ids))] == ids[::-1]
    sharded = ShardedStore(SimpleNamespace(world=3), None, tmp_path)
    for rank in range(3):
        placed = [i * 3 + rank for i in ids]
        assert [sharded.earlier(placed[-1], n) for n in range(len(ids))] == placed[::-1]
