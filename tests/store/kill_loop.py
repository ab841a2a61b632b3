"""Kill a writer at random moments, again and again, and check after each kill that nothing committed was lost.

    python tests/store/kill_loop.py --rounds 200 DIRECTORY

The writer (a fork of this script) commits random sources, replaces, forgets and compacts in a loop and reports
each change before it starts and after it is done. Whatever it reported as done must hold after the kill; the one
change it was in must have happened whole or not at all.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import TextIO

import torch

from engine.model.states import DocumentStates, StateShape
from engine.store import NewDocument, NewSource, Store

WORDS = "amber basin cedar delta ember fjord grove haven inlet jetty knoll lagoon marsh notch orchard prairie".split()


def text_of(name: str, version: int) -> str:
    return " ".join(random.Random(f"{name} {version}").choices(WORDS, k=400)) + f" {name}v{version}"


def write(directory: Path, seed: int, report: TextIO) -> None:
    """Change the memory until killed. One line per change: `begin|done kind name version`."""
    store = Store.open(directory)
    dice, shape, step = random.Random(seed), store.shape, 0

    def batch_of(name: str, version: int) -> tuple[NewSource, list[NewDocument]]:
        text = text_of(name, version)
        count = random.Random(text).randint(1, 4)
        edges = [len(text) * i // count for i in range(count + 1)]
        documents = []
        for ordinal in range(count):
            chunks = dice.randint(1, 4)
            router = torch.randn(shape.layers, chunks, shape.router_heads, shape.router_dim)
            keys, values = torch.randn(2, shape.layers, chunks, shape.kv_heads, shape.head_dim)
            states = DocumentStates(router, keys, values, chunks * shape.chunk_size)
            documents.append(NewDocument(ordinal, edges[ordinal], edges[ordinal + 1], name, states))
        return NewSource("/r", name, None, "text", name, str(version), len(text), 0, text, count), documents

    def say(*words: object) -> None:
        print(*words, file=report, flush=True)

    with store.writer(wait=10) as writer:
        while True:
            step += 1
            names = [row.name for row in store.sources()]
            kind = dice.choice(["commit"] * 4 + ["replace"] * 2 + ["forget"] * 3 + ["compact"])
            if kind == "forget" and names:
                name = dice.choice(names)
                say("begin forget", name, 0)
                writer.forget([store.find(name)[0].id])
                say("done forget", name, 0)
            elif kind == "compact":
                writer.compact()
            else:
                name = dice.choice(names) if kind == "replace" and names else f"s{seed}x{step}"
                version = seed * 1000 + step
                batch = batch_of(name, version)
                say("begin commit", name, version)
                writer.commit([batch])
                say("done commit", name, version)


def killed_writer(directory: Path, seed: int, seconds: float) -> list[str]:
    """Let a writer work for some time, kill it, and return what it reported."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as report:
            write(directory, seed, report)
    os.close(writing)
    with os.fdopen(reading) as report:
        lines = [report.readline()]  # it is at work now
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
        lines += report.readlines()
    assert os.waitpid(process, 0)[1] == signal.SIGKILL, "the writer failed by itself"
    return lines


def check(directory: Path, expected: dict[str, int], doubtful: tuple[str, str, int] | None) -> dict[str, int]:
    """Compare the memory with what was reported; returns what it holds."""
    with Store.open(directory) as store:
        problems = store.verify()
        assert not problems, problems
        held = {row.name: int(row.content_hash) for row in store.sources()}
        if doubtful is not None:
            kind, name, version = doubtful
            after = dict(expected)
            if kind == "forget":
                after.pop(name, None)
            else:
                after[name] = version
            assert held in (expected, after), f"neither before nor after {doubtful}: {held} {expected}"
        else:
            assert held == expected, f"{held} is not {expected}"
        for row in store.sources():
            text = text_of(row.name, held[row.name])
            assert store.text(row.id) == text
            assert "".join(store.document_text(document.id) for document in store.source_documents(row.id)) == text
            best = store.search_text(f"{row.name}v{held[row.name]}", 3)
            assert store.documents([best[0][0]])[0].name == row.name
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("directory", type=Path, nargs="?")
    options = parser.parse_args()
    torch.set_num_threads(1)
    directory = options.directory or Path(tempfile.mkdtemp()) / "memory"
    Store.create(directory, "tiny", "f" * 32, StateShape(2, 2, 4, 2, 6, 64)).close()
    dice, held, changes = random.Random(options.seed), {}, 0
    for number in range(options.rounds):
        lines = killed_writer(directory, number, dice.random() * 0.25)
        doubtful = None
        for line in filter(str.strip, lines):
            moment, kind, name, version = line.split()
            doubtful = (kind, name, int(version)) if moment == "begin" else None
            if moment == "done" and kind == "commit":
                held[name] = int(version)
            elif moment == "done":
                held.pop(name, None)
            changes += moment == "done"
        held = check(directory, held, doubtful)
        with Store.open(directory).writer():
            pass  # clears what the killed one left
        segments = len(list((directory / "segments").iterdir()))
        with Store.open(directory) as store:
            assert store.verify() == [] and segments == store.footprint()["segments"]
    print(f"{options.rounds} rounds, {changes} changes reported as done, {len(held)} sources held: nothing lost")


if __name__ == "__main__":
    main()
