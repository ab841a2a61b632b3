"""Rank 0 calls, all ranks do: remote calls as collectives of `torch.distributed` (gloo: what travels is small).

Keys never travel: a call carries a query and a number of best documents back from each rank, some kilobytes. A rank
that dies breaks its connections, which ends every other rank's call with an error at once; one that hangs ends it
after `MSA_RANK_TIMEOUT` seconds (default 300).
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import torch.distributed as dist

from engine.errors import MsaError, RankError
from engine.places import world_size

PATIENT = timedelta(days=7)
CLOSE = "close"


class Ranks:
    """This process among its peers. Raises RankError when a peer is gone."""

    def __init__(self) -> None:
        self.rank, self.world = int(os.environ["RANK"]), world_size()
        timeout = timedelta(seconds=float(os.environ.get("MSA_RANK_TIMEOUT", "300")))
        try:
            dist.init_process_group("gloo", timeout=timeout)
            # Between two questions, and while others still ingest, waiting long is no fault.
            self._patient = dist.new_group(backend="gloo", timeout=PATIENT)
        except (RuntimeError, ValueError) as error:
            raise RankError(f"rank {self.rank} of {self.world}: the others cannot be reached ({_short(error)})") from error

    def call(self, target: object, name: str, *arguments: Any, to: int | None = None, patient: bool = False) -> list[Any]:
        """On rank 0: `target.name(*arguments)` on every rank (or on rank `to` only); results in order of rank.

        Raises what a rank raised, the lowest rank's first.
        """
        return self._take_part(target, (name, arguments, to, patient))

    def serve(self, target: object) -> None:
        """On other ranks: do what rank 0 calls until it closes."""
        while self._take_part(target, None) is not None:
            pass

    def close(self) -> None:
        """Rank 0 lets the others go; all leave the group."""
        if dist.is_initialized():
            try:
                if self.rank == 0:
                    self._take_part(None, (CLOSE, (), None, False))
            except RankError:
                pass
            dist.destroy_process_group()

    def _take_part(self, target: object, order: tuple | None) -> list[Any] | None:
        """One call, on any rank: hear the order, do it, bring the results together on rank 0."""
        box = [order]
        try:
            dist.broadcast_object_list(box, src=0, group=self._patient)
            name, arguments, to, patient = box[0]
            if name == CLOSE:
                return None
            done = _tried(target, name, arguments) if to in (None, self.rank) else None
            gathered = [None] * self.world if self.rank == 0 else None
            dist.gather_object(done, gathered, dst=0, group=self._patient if patient else None)
        except (RuntimeError, ValueError, EOFError) as error:
            raise RankError(f"rank {self.rank} of {self.world}: another rank is gone ({_short(error)})") from error
        results = []
        for rank, outcome in enumerate(gathered or []):
            if isinstance(outcome, Failure):
                outcome.raised(rank)
            if outcome is not None:
                results.append(outcome[0])
        return results


class Failure:
    """An exception on its way to rank 0."""

    def __init__(self, error: BaseException):
        self.error = error

    def raised(self, rank: int) -> None:
        if isinstance(self.error, MsaError):
            raise self.error
        raise RankError(f"rank {rank}: {type(self.error).__name__}: {self.error}") from self.error


def _tried(target: object, name: str, arguments: tuple) -> tuple[Any] | Failure:
    try:
        return (getattr(target, name)(*arguments),)
    except Exception as error:  # noqa: BLE001 - it is raised on rank 0; here the rank goes on serving
        return Failure(error if isinstance(error, MsaError) else RuntimeError(f"{type(error).__name__}: {error}"))


def _short(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
