"""Time the kernels on this machine, each against its reference.

    python -m benchmarks.kernels                     about a minute on two CPU cores
    python -m benchmarks.kernels --chunks 200000     a smaller memory

Correctness comes first: if an implementation disagrees with its reference, nothing is reported and the exit code
is 1. Times are medians in milliseconds. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

if not __package__:  # run as a script: what is imported below is found from the repository's root
    sys.path[0] = str(Path(__file__).parents[1])

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

import kernels
from kernels.chunk_pool import reference as chunk_pool_reference
from kernels.memory_attention import reference as memory_attention_reference
from kernels.routing_topk import reference as routing_reference


@dataclass(frozen=True)
class Case:
    operation: str
    shape: str
    run: Callable[[], Tensor]
    reference: Callable[[], Tensor]
    bytes_read: int


@dataclass(frozen=True)
class Row:
    operation: str
    shape: str
    backend: str
    milliseconds: float
    reference_milliseconds: float
    gigabytes_per_second: float
    largest_error: float


def pool_case(device: str) -> Case:
    lengths = [512, 37, 300, 1, 511, 200, 450, 64] * 4
    x = torch.randn(sum(lengths), 3, 4, 64, device=device)
    return Case(
        "chunk_pool",
        f"{len(lengths)} documents, {x.shape[0]} tokens x {x[0].numel()}",
        lambda: kernels.chunk_pool(x, lengths, 64),
        lambda: chunk_pool_reference.chunk_pool(x, lengths, 64),
        x.nbytes,
    )


def routing_case(device: str, n_chunks: int, width: int, n_tokens: int, query_reduce: str) -> Case:
    n_documents = -(-n_chunks // 10)
    query = torch.nn.functional.normalize(torch.randn(1, n_tokens, 1, width, device=device), dim=-1)
    mask = torch.ones(1, n_tokens, dtype=torch.bool, device=device)
    keys = torch.randint(-127, 128, (n_chunks, 1, width), dtype=torch.int8, device=device)
    scales = torch.rand(n_chunks, 1, device=device) / 1000
    document = torch.arange(n_chunks, device=device) // 10
    arguments = (query, mask, keys, scales, document, n_documents)
    return Case(
        "routing_topk",
        f"{n_chunks} chunks x {width} int8, {n_tokens} tokens, {query_reduce}",
        lambda: kernels.routing_topk(*arguments, 16, query_reduce)[0],
        lambda: routing_reference.best_documents(
            routing_reference.routing_scores(*arguments, query_reduce), 16
        )[0],
        keys.nbytes,
    )


def attention_case(device: str, n_tokens: int, n_local: int, n_memory: int, int8: bool) -> Case:
    q = torch.randn(1, n_tokens, 12, 64, device=device)
    local_k, local_v = torch.randn(2, 1, n_local, 4, 64, device=device)
    memory = torch.randn(2, 1, n_memory, 4, 64, device=device)
    options = {}
    if int8:
        scales = memory.abs().amax(-1) / 127
        memory = (memory / scales[..., None]).round().to(torch.int8)
        options = {"memory_k_scale": scales[0], "memory_v_scale": scales[1]}
    memory_mask = torch.ones(1, n_memory, dtype=torch.bool, device=device)
    local_mask = torch.ones(1, n_local, dtype=torch.bool, device=device)
    arguments = (q, local_k, local_v, *memory, memory_mask, local_mask, True)
    return Case(
        "memory_attention",
        f"{n_tokens} tokens over {n_memory} {'int8' if int8 else 'float32'} + {n_local}, 12/4 heads x 64",
        lambda: kernels.memory_attention(*arguments, **options),
        lambda: memory_attention_reference.memory_attention(*arguments, **options),
        memory.nbytes + 2 * local_k.nbytes,
    )


def median_milliseconds(run: Callable[[], Tensor], device: str, repeats: int) -> float:
    times = []
    for i in range(repeats + 1):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        if i:  # the first call compiles, allocates and warms the cache
            times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def measure(case: Case, device: str, repeats: int, tolerance: float) -> Row | str:
    """A row of the report, or what is wrong with the result."""
    got, expected = case.run(), case.reference()
    error = (got - expected).abs().max().item()
    if not error <= tolerance:  # a NaN fails too
        return f"{case.operation} ({case.shape}) on {device} differs from its reference by {error:g}"
    milliseconds = median_milliseconds(case.run, device, repeats)
    slow = median_milliseconds(case.reference, device, max(1, repeats // 3))
    return Row(
        case.operation,
        case.shape,
        f"{device}: {kernels.backend(device)}",
        round(milliseconds, 3),
        round(slow, 3),
        round(case.bytes_read / milliseconds / 1e6, 2),
        error,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--chunks", type=int, default=500_000, help="router keys (default 500000 = 32M tokens)")
    parser.add_argument("--width", type=int, default=384, help="router key size (default 384)")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default 2)")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="this one alone (default: all there are)")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    console = Console(stderr=True)

    rows = []
    for device in [options.device] if options.device else ["cpu"] + ["cuda"] * torch.cuda.is_available():
        cases = (
            lambda: pool_case(device),
            lambda: routing_case(device, options.chunks, options.width, 1, "mean"),
            lambda: routing_case(device, options.chunks, options.width, 16, "max"),
            lambda: attention_case(device, 64, 64, 128, True),
            lambda: attention_case(device, 512, 512, 128, False),
            lambda: attention_case(device, 1, 600, 128, True),
        )
        for make in cases:  # made one at a time: a large memory need not exist twice
            row = measure(make(), device, options.repeats, tolerance=1e-4)
            if isinstance(row, str):
                console.print(f"refusing to report: {row}", style="red")
                return 1
            rows.append(row)

    table = Table("operation", "shape", "backend", "ms", "reference ms", "GB/s", "largest error")
    for row in rows:
        cells = asdict(row).values()
        table.add_row(*(f"{c:.3g}" if isinstance(c, float) else c for c in cells))
    Console().print(table)
    print(json.dumps({"threads": options.threads, "torch": torch.__version__, "rows": [asdict(r) for r in rows]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
