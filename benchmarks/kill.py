"""SIGKILL at random moments of ingest and forget: the memory must verify and keep all that was committed.

    python -m benchmarks.kill [--rounds 200] [--model DIR]

Each round a fork ingests a few new, changed and known files, or forgets one, and is killed after a random time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import tempfile
import time
from pathlib import Path

import torch

import engine.encoding
from engine import Memory
from engine.model.interface import MemoryModel
from engine.model.loading import load_memory_model
from engine.places import bundled_model

WORDS = "amber basin copper delta ember fjord granite harbour inlet juniper kelp lantern meadow north oak pier".split()


def write_files(corpus: Path, rng: random.Random, count: int) -> None:
    for _ in range(count):
        name = corpus / f"{rng.randrange(60)}.md"
        lines = [" ".join(rng.choices(WORDS, k=12)) + "." for _ in range(rng.randrange(1, 14))]
        name.write_text("# " + rng.choice(WORDS) + "\n\n" + "\n".join(lines) + "\n")


def sources(store: Path) -> set[str]:
    with Memory.open(store, create=True) as memory:
        return {s.name for s in memory.sources()} if (store / "catalog.sqlite").exists() else set()


def child(action: str, corpus: Path, store: Path, model: MemoryModel) -> None:
    """Runs in the fork; never returns. Small commits, so that kills fall between and inside many of them."""
    try:
        engine.encoding.COMMIT_CHARACTERS = 4_000
        with Memory.open(store, create=True) as memory:
            memory._model = model
            if action == "ingest":
                memory.ingest([corpus], wait=5)
            else:
                memory.forget(action, wait=5)
    finally:
        os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    killed = ended = unsound = lost = 0
    # One thread, loaded once: a fork inherits the model and no worker threads.
    torch.set_num_threads(1)
    model = load_memory_model(args.model or bundled_model(), "cpu")
    with tempfile.TemporaryDirectory() as folder:
        corpus, store = Path(folder) / "corpus", Path(folder) / "memory"
        corpus.mkdir()
        for _ in range(args.rounds):
            write_files(corpus, rng, rng.randrange(1, 8))
            before = sources(store)
            forgets = before and rng.random() < 0.4
            action = rng.choice(sorted(before)) if forgets else "ingest"
            pid = os.fork()
            if pid == 0:
                child(action, corpus, store, model)
            time.sleep(rng.uniform(0.0, 0.12 if forgets else 1.5))
            os.kill(pid, signal.SIGKILL)
            status = os.waitpid(pid, 0)[1]
            killed += os.WIFSIGNALED(status)
            ended += not os.WIFSIGNALED(status)
            after = sources(store)
            allowed = {action} if forgets else set()
            lost += bool(before - after - allowed)
            if (store / "catalog.sqlite").exists():
                with Memory.open(store) as memory:
                    unsound += not memory.verify().sound
        held = len(sources(store))
    result = {"benchmark": "kill", "rounds": args.rounds, "killed": killed, "ended_before": ended, "sources": held}
    print(json.dumps({**result, "unsound": unsound, "lost": lost}))
    raise SystemExit(bool(unsound or lost))


if __name__ == "__main__":
    main()
