"""How long the commands that need no model take, in a new process each.

    python -m benchmarks.startup [--store DIR] [--runs 9]

Checks first that none of them imports torch.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from engine import Memory

COMMANDS = (("--help",), ("stats",), ("sources",))


def command(arguments: tuple[str, ...], store: Path) -> list[str]:
    place = [] if arguments[0].startswith("--") else ["--store", str(store)]
    return [sys.executable, "-m", "msa_cli", *arguments, *place]


def imports_torch(arguments: list[str]) -> bool:
    timed = [arguments[0], "-X", "importtime", *arguments[1:]]
    return b" torch\n" in subprocess.run(timed, capture_output=True, check=True).stderr


def seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(arguments, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--store", type=Path)
    parser.add_argument("--runs", type=int, default=9)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = args.store or Path(folder) / "memory"
        if args.store is None:
            with Memory.open(store, create=True) as memory:
                memory.ingest([Path(__file__).parent])
        medians = {}
        for arguments in COMMANDS:
            line = command(arguments, store)
            if imports_torch(line):
                raise SystemExit(f"{' '.join(arguments)} imports torch")
            medians[arguments[0].strip("-")] = round(statistics.median(seconds(line) for _ in range(args.runs)), 3)
    table = Table("command", "median seconds")
    for name, value in medians.items():
        table.add_row(name, str(value))
    Console().print(table)
    print(json.dumps({"benchmark": "startup", **medians}))


if __name__ == "__main__":
    main()
