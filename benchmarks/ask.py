"""What a question costs: a new process (wall, peak RSS), and a warm one, over a memory of a given size.

    python -m benchmarks.ask [--store DIR] [--tokens 1000000] [--runs 5] [--model DIR]

Without a store one is made from the standard library's sources. Every citation is compared with its file first.
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

from benchmarks.corpus import standard_library
from engine import Memory

QUESTIONS = (
    "What does the default factory of an argparse parser use as prefix characters?",
    "Which exception is raised when a queue is empty?",
    "What is the default value of the timeout in the socket module?",
    "How long does the email parser keep reading headers?",
    "Who calls the function that opens a subprocess pipe?",
)


def check_citations(memory: Memory, corpus: Path | None) -> int:
    checked = 0
    for question in QUESTIONS:
        answer = memory.ask(question)
        for citation in (*answer.citations, *answer.nearest):
            if corpus is not None and citation.page is None:
                text = (corpus / citation.source).read_bytes().decode("utf-8")
                assert text[citation.start : citation.end] == citation.quote, citation
                checked += 1
    return checked

# Its own high-water mark: ru_maxrss of a child starts at what its parent had when it forked.
MEASURED = """
import atexit, runpy, sys
atexit.register(lambda: sys.stderr.write(next(x for x in open("/proc/self/status") if x.startswith("VmHWM"))))
runpy.run_module("msa_cli", run_name="__main__")
"""


def new_process(store: Path, question: str, model: Path | None) -> tuple[float, float]:
    """(wall seconds, peak RSS in MiB) of one `msa ask`."""
    command = [sys.executable, "-c", MEASURED, "ask", question, "--store", str(store), "--json"]
    command += ["--model", str(model)] if model else []
    began = time.perf_counter()
    child = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - began
    if child.returncode not in (0, 1):
        raise SystemExit(f"msa ask failed: {command}")
    return seconds, int(child.stderr.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--store", type=Path)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--model", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = None
        store = args.store or Path(folder) / "memory"
        with Memory.open(store, model=args.model, create=True) as memory:
            if args.store is None:
                corpus = standard_library(Path(folder) / "corpus", args.tokens)
                memory.ingest([corpus])
            checked = check_citations(memory, corpus)
            tokens = memory.stats().tokens
            warm = [_timed(memory, QUESTIONS[i % len(QUESTIONS)]) for i in range(3 * args.runs)]
        cold = [new_process(store, QUESTIONS[i % len(QUESTIONS)], args.model) for i in range(args.runs)]
    result = {
        "benchmark": "ask",
        "tokens": tokens,
        "citations_checked": checked,
        "new_process_seconds": round(statistics.median(wall for wall, _ in cold), 2),
        "peak_rss_mib": round(max(rss for _, rss in cold)),
        "warm_seconds": round(statistics.median(warm), 3),
    }
    table = Table("what", "value")
    for name, value in result.items():
        table.add_row(name, str(value))
    Console().print(table)
    print(json.dumps(result))


def _timed(memory: Memory, question: str) -> float:
    began = time.perf_counter()
    memory.ask(question)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
