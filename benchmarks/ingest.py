"""Ingest speed, from text to committed store, by stage.

    python -m benchmarks.ingest [PATH] [--tokens 200000] [--model DIR] [--against COMMAND]

Without PATH the standard library's sources are ingested. Reports only a memory that verifies. `--against` times
another tool's command on the same files before and after (the better one counts, less what it takes for one small
file): a shell command in which {corpus} stands for the folder and {scratch} for an empty one, as in
    --against 'cd {scratch}; leann build it --docs {corpus} --embedding-model MINILM_FOLDER'
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.corpus import standard_library
from engine import Memory


def timed(command: str, corpus: Path) -> float:
    """Seconds another tool takes. Raises SystemExit when it fails."""
    with tempfile.TemporaryDirectory() as scratch:
        filled = command.replace("{corpus}", shlex.quote(str(corpus))).replace("{scratch}", shlex.quote(scratch))
        began = time.perf_counter()
        done = subprocess.run(filled, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"the other tool failed:\n{done.stdout[-2000:]}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("--tokens", type=int, default=200_000)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--against", help="another tool's command")
    args = parser.parse_args()
    others = []
    with tempfile.TemporaryDirectory() as folder:
        corpus = args.path or standard_library(Path(folder) / "corpus", args.tokens)
        if args.against:
            (small := Path(folder) / "small").mkdir()
            shutil.copy(__file__, small)
            start = timed(args.against, small)
            others.append(timed(args.against, corpus) - start)
        with Memory.open(Path(folder) / "memory", model=args.model, create=True) as memory:
            memory.ingest([Path(__file__)])  # the model's loading is not ingest
            report = memory.ingest([corpus])
            verification = memory.verify()
            footprint = memory.stats()
        if args.against:
            others.append(timed(args.against, corpus) - start)
    if not verification.sound:
        raise SystemExit("the memory does not verify: " + verification.problems[0])
    table = Table("stage", "seconds", "share")
    for stage, spent in sorted(report.timings_ms.items(), key=lambda item: -item[1]):
        table.add_row(stage, f"{spent / 1000:.2f}", f"{spent / 10 / report.seconds:.0f}%")
    table.add_row("all", f"{report.seconds:.2f}", "")
    if others:
        table.add_row("the other tool", " / ".join(f"{seconds:.2f}" for seconds in others), f"{min(others) / report.seconds:.1f} times")
    Console().print(table)
    print(
        json.dumps(
            {
                "benchmark": "ingest",
                "tokens": report.tokens,
                "documents": report.documents,
                "seconds": round(report.seconds, 2),
                "tokens_per_second": round(report.tokens / report.seconds),
                "bytes_per_token": round(footprint.bytes_per_token, 1),
                "stages_ms": report.timings_ms,
                **({"other_seconds": [round(x, 2) for x in others], "times_faster": round(min(others) / report.seconds, 2)} if others else {}),
            }
        )
    )


if __name__ == "__main__":
    main()
