"""Kill a rebuild at random moments, again and again: each time the memory must be wholly old or wholly new.

    python tests/engine/kill_rebuild.py --rounds 50 MEMORY MODEL OTHER_MODEL

Each round rebuilds, in a fork of this script, with the model that the memory does not have.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import time
from pathlib import Path

import torch

from engine import Memory, encoding
from engine.model.checkpoint import fingerprint
from engine.store import Writer, search


def contents(memory: Memory) -> list[tuple]:
    store = memory._open()
    return [(row.id, row.display, row.content_hash, row.page_starts, store.text(row.id)) for row in store.sources()]


def die_in(moment: str | None) -> None:
    """Die inside the transaction that swaps old for new, or between it and the removal of the old segments."""

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if moment == "swap":
        search.add = die
    elif moment == "unlink":
        Writer._unlink = die


def killed_rebuild(directory: Path, model: Path, seconds: float, moment: str | None) -> bool:
    """Kill a rebuild after some time, or at a moment; returns whether it said that it was done."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        die_in(moment)
        with os.fdopen(writing, "w") as report, Memory.open(directory, model=model, device="cpu") as memory:
            memory._loaded()
            print("begin", file=report, flush=True)
            memory.rebuild()
            print("done", file=report, flush=True)
            signal.pause()
    os.close(writing)
    with os.fdopen(reading) as report:
        assert report.readline() == "begin\n"
        if moment is None:
            time.sleep(seconds)
            os.kill(process, signal.SIGKILL)
        done = report.read() == "done\n"
    assert os.waitpid(process, 0)[1] == signal.SIGKILL, "the rebuild failed by itself"
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.3, help="the longest a rebuild may live")
    parser.add_argument("memory", type=Path)
    parser.add_argument("models", type=Path, nargs=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    encoding.COMMIT_CHARACTERS = 300
    models = {fingerprint(model): model for model in options.models}
    dice, finished = random.Random(options.seed), 0
    with Memory.open(options.memory) as memory:
        before, present = contents(memory), memory.stats().fingerprint
    for number in range(options.rounds):
        moment = (None, "swap", None, "unlink")[number % 4]
        wanted = next(model for model in models if model != present)
        done = killed_rebuild(options.memory, models[wanted], dice.random() * options.seconds, moment)
        with Memory.open(options.memory) as memory:
            found = memory.stats().fingerprint
        with Memory.open(options.memory, model=models[found], device="cpu") as memory:
            assert found == wanted or not done
            assert moment is None or (found == wanted) == (moment == "unlink")
            assert contents(memory) == before
            assert memory.verify().problems == []
            assert memory.recall("fern", 3).documents
            with memory._open().writer():
                pass  # clears what the killed one left
            assert len(list((options.memory / "segments").iterdir())) == memory.stats().segments
        finished += found != present
        present = found
    print(f"{options.rounds} rounds, {finished} rebuilt before the kill, nothing lost")


if __name__ == "__main__":
    main()
