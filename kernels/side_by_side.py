"""Work on a CPU in pieces, one thread each: threads that share every operation wait for one another after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Piece = TypeVar("Piece")


def side_by_side(work: Callable[[Piece], None], pieces: Sequence[Piece], workers: int) -> None:
    """`work` on every piece in inference mode, `workers` at a time. A thread has a mode of its own, and what a caller
    made in inference mode may only be changed in it."""

    def quietly(piece: Piece) -> None:
        with torch.inference_mode():
            work(piece)

    if workers == 1 or len(pieces) < 2:
        for piece in pieces:
            quietly(piece)
        return
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        list(pool.map(quietly, pieces))
