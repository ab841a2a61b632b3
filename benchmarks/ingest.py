"""Ingest speed, from text to committed store, by stage.

    python -m benchmarks.ingest [PATH] [--tokens 200000] [--model DIR]

Without PATH the standard library's sources are ingested. Reports only a memory that verifies.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.corpus import standard_library
from engine import Memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("--tokens", type=int, default=200_000)
    parser.add_argument("--model", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = args.path or standard_library(Path(folder) / "corpus", args.tokens)
        with Memory.open(Path(folder) / "memory", model=args.model, create=True) as memory:
            memory.ingest([Path(__file__)])  # the model's loading is not ingest
            report = memory.ingest([corpus])
            verification = memory.verify()
            footprint = memory.stats()
    if not verification.sound:
        raise SystemExit("the memory does not verify: " + verification.problems[0])
    table = Table("stage", "seconds", "share")
    for stage, spent in sorted(report.timings_ms.items(), key=lambda item: -item[1]):
        table.add_row(stage, f"{spent / 1000:.2f}", f"{spent / 10 / report.seconds:.0f}%")
    table.add_row("all", f"{report.seconds:.2f}", "")
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
            }
        )
    )


if __name__ == "__main__":
    main()
