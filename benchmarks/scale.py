"""A memory of N tokens: what it takes to build, what it weighs, what a question costs, whether needles are found.

    python -m benchmarks.scale [--tokens 100000] [--text FOLDER] [--encode N] [--store DIR] [--model DIR] [--json]

With `--store` the memory is kept, and what its building took beside it (DIR.build.json): the same command again
measures that memory without building it.

The text is real: records of the .jsonl and .jsonl.xz files in FOLDER, or the standard library's sources without one.
The first `--encode` tokens and every document that holds a needle are encoded; the states of other documents are
drawn from those, with a little noise, so that a memory of any size can be made in minutes: `resampled` says how much
was. Ingest speed counts encoding at the speed measured on what was encoded. Verifies the memory first; citations are
checked by `ask` itself. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if not __package__:  # run as a script: what is imported below is found from the repository's root
    sys.path[0] = str(Path(__file__).parents[1])

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.ask import new_process
from benchmarks.corpus import standard_library
from benchmarks.needles import Maker, Needle, score
from benchmarks.resampled import CHARACTERS_A_TOKEN, Resampled, ingest, jsonl_files
from benchmarks.sets import read_lines
from engine import Memory
from engine.asking import Asker
from engine.model.interface import Context
from engine.model.loading import load_memory_model
from engine.places import bundled_model
from engine.results import IngestReport

FILE_CHARACTERS = 4_000_000
RECORD_CHARACTERS = 20_000
NEEDLE_KINDS = ("single 2", "single 3", "multi-key 1")
MARK = "The secret "


def records(folder: Path) -> Iterator[tuple[str, str]]:
    """(title, text) of all records of a folder."""
    for path in jsonl_files(folder):
        for record in read_lines(path):
            yield record.get("title", ""), record["text"]


def write_corpus(source: Path | None, folder: Path, tokens: int, needles: list[Needle], rng: random.Random) -> None:
    """About `tokens` tokens of text as .jsonl files in `folder`, the needles' lines at random places."""
    if source is None:
        library = standard_library(folder.parent / "library", tokens)
        found = ((str(p.relative_to(library)), p.read_text(errors="replace")) for p in sorted(library.rglob("*.py")))
    else:
        found = records(source)
    wanted = int(tokens * CHARACTERS_A_TOKEN)
    lines = [line for needle in needles for line in needle.lines]
    places = sorted(((rng.randrange(wanted), line) for line in lines), reverse=True)
    size, number, pending, piece = 0, 0, 0, []
    for title, text in found:
        for begin in range(0, len(text), RECORD_CHARACTERS):
            part = text[begin : begin + RECORD_CHARACTERS]
            size += len(part)
            while places and places[-1][0] < size:
                at = part.find("\n", rng.randrange(len(part))) + 1
                part = f"{part[:at]}{places.pop()[1]}\n{part[at:]}"
            piece.append(json.dumps({"id": str(number), "title": title, "text": part}))
            number, pending = number + 1, pending + len(part)
        if pending >= FILE_CHARACTERS or size >= wanted:
            (folder / f"{number:08d}.jsonl").write_text("\n".join(piece) + "\n", encoding="utf-8")
            pending, piece = 0, []
        if size >= wanted:
            return
    raise SystemExit(f"there is text for {size / CHARACTERS_A_TOKEN:,.0f} tokens only; name a folder with more")


def build(place: Path, corpus: Path, model: Any, encode: int, readers: int = 0) -> tuple[IngestReport, Resampled]:
    seat = Resampled(model, encode, lambda text: MARK in text)
    report = ingest(place, seat, [corpus], readers)
    return report, seat


def what_it_took(report: IngestReport, seat: Resampled) -> dict[str, Any]:
    """Speed counts as if all had been encoded as fast as what was."""
    others = (report.seconds - report.timings_ms["encode"] / 1000) / report.tokens
    encode_if_all = round(1000 * seat.seconds * report.tokens / seat.encoded)
    return {
        "ingest_tokens_per_s": round(1 / (others + seat.seconds / seat.encoded)),
        "ingest_ms_by_stage": {**report.timings_ms, "encode_if_all": encode_if_all},
        "without_encoding_tokens_per_s": round(report.tokens / (report.seconds - seat.seconds)),
        "resampled": round(seat.resampled / report.tokens, 3),
    }


def route_times(memory: Memory, questions: list[str], rounds: int) -> tuple[float, list[float]]:
    """(seconds to load the router keys, milliseconds of each scan)."""
    model, store = memory._loaded(), memory._open()
    began = time.perf_counter()
    asker = Asker(store, model)
    router = asker._loop(None).router
    loaded = time.perf_counter() - began

    class Timed:
        """Stands in for the router and notes how long it takes."""

        spent: list[float] = []

        def scores(self, layer, query, mask):
            start = time.perf_counter()
            found = router.scores(layer, query, mask)
            if found.is_cuda:
                torch.cuda.synchronize()
            self.spent.append((time.perf_counter() - start) * 1000)
            return found

    timed = Timed()
    for i in range(rounds + 1):
        model.route([Context(questions[i % len(questions)])], timed)
    return loaded, timed.spent[1:]


def p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def measure(place: Path, model_folder: Path | None, needles: list[Needle], cold: int) -> dict[str, Any]:
    questions = [n.question for n in needles]
    processes = [new_process(place, questions[i % len(questions)], model_folder) for i in range(cold)]
    with Memory.open(place, model=model_folder) as memory:
        loading, scans = route_times(memory, questions, 20)
        memory.ask(questions[0])
        warm, right = [], []
        for needle in needles:
            began = time.perf_counter()
            answer = memory.ask(needle.question)
            warm.append((time.perf_counter() - began) * 1000)
            right.append(score(answer.answers, needle.values))
        stats = memory.stats()
    gpu = torch.cuda.max_memory_allocated() >> 20 if torch.cuda.is_available() else 0
    tiers = {tier: round(size / stats.tokens, 2) for tier, size in stats.bytes.items() if tier != "total"}
    return {
        "tokens": stats.tokens,
        "documents": stats.documents,
        "bytes_per_token": round(stats.bytes_per_token, 1),
        "router_bytes_per_token": tiers["router_keys"],
        "bytes_per_token_by_tier": tiers,
        "load_keys_ms": round(loading * 1000, 1),
        "route_ms": round(statistics.median(scans), 1),
        "route_ms_p95": round(p95(scans), 1),
        "ask_ms_cold": round(1000 * statistics.median(wall for wall, _ in processes)),
        "ask_ms_warm": round(statistics.median(warm)),
        "ask_ms_warm_p95": round(p95(warm)),
        "peak_rss_mb": round(max(rss for _, rss in processes)),
        "gpu_memory_mb": gpu,
        "needle_accuracy": round(100 * statistics.mean(right), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--text", type=Path, help="a folder of .jsonl or .jsonl.xz records")
    parser.add_argument("--encode", type=int, default=200_000, help="tokens to encode before states are resampled")
    parser.add_argument("--readers", type=int, default=0, help="processes that read and cut, as beside a GPU")
    parser.add_argument("--store", type=Path, help="build the memory here and keep it")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--needles", type=int, default=10, help="of each of three kinds")
    parser.add_argument("--cold", type=int, default=5, help="questions asked in a new process each")
    parser.add_argument("--json", action="store_true", help="no table")
    args = parser.parse_args()
    rng = random.Random(11)
    maker = Maker(13)
    needles = [maker.needle(kind) for kind in NEEDLE_KINDS for _ in range(args.needles)]
    with tempfile.TemporaryDirectory() as temporary:
        corpus, place = Path(temporary) / "corpus", args.store or Path(temporary) / "memory"
        kept = place.with_name(place.name + ".build.json")
        if not kept.exists():
            corpus.mkdir()
            write_corpus(args.text, corpus, args.tokens, needles, rng)
            model = load_memory_model(args.model or bundled_model())
            report, seat = build(place, corpus, model, args.encode, args.readers)
            kept.write_text(json.dumps(what_it_took(report, seat)))
        with Memory.open(place, model=args.model) as memory:
            verification = memory.verify()
        if not verification.sound:
            raise SystemExit("the memory does not verify: " + verification.problems[0])
        result = {"benchmark": "scale", **measure(place, args.model, needles, args.cold), **json.loads(kept.read_text())}
    if not args.json:
        table = Table("what", "value", title=f"{result['tokens']:,} tokens, {100 * result['resampled']:.0f}% resampled states")
        for name, value in result.items():
            table.add_row(name, str(value))
        Console().print(table)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
