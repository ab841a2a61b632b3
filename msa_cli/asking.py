"""The commands that ask a memory: `ask` and `recall`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from engine.results import Answer
from msa_cli import batch as batches
from msa_cli import opening, progress, views
from msa_cli.errors import FOUND, NOTHING, note
from msa_cli.options import AsJson, Batch, Device, GpuBudget, Model, Question, RamBudget, Store
from msa_cli.page import Page


def ask(
    question: Question = None,
    batch: Batch = None,
    top_k: Annotated[
        int | None, typer.Option("--top-k", metavar="N", min=1, help="Documents that one round chooses.")
    ] = None,
    max_hops: Annotated[
        int | None, typer.Option("--max-hops", metavar="N", min=1, help="Rounds at most, for each thing that is asked for.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every hop and the timings on stderr.")
    ] = False,
    model: Model = None,
    store: Store = None,
    json: AsJson = False,
    device: Device = None,
    gpu_budget: GpuBudget = None,
    ram_budget: RamBudget = None,
) -> int:
    """Answer a question from memory, with citations.

    Says so when memory does not hold the answer, and shows the nearest passages.
    """
    text = batches.one_question(question, batch)
    with opening.open_memory(
        store, model=model, device=device, gpu_budget=gpu_budget, ram_budget=ram_budget, thinks=True
    ) as memory:

        def reply(one: str) -> Answer:
            with progress.hop_lines(verbose, transient=batch is None) as on_hop:
                result = memory.ask(one, top_k=top_k, max_hops=max_hops, on_hop=on_hop)
            if verbose:
                views.timings(Page(sys.stderr), result.timings_ms)
            return result

        if batch is not None:
            return batches.run_batch(batch, reply, lambda result: result.found)
        result = reply(text)
    page = Page()
    if json:
        page.json(result.to_dict())
    else:
        views.answer(page, result)
    return FOUND if result.found else NOTHING


def recall(
    question: Question = None,
    batch: Batch = None,
    k: Annotated[int, typer.Option("-k", "--top-k", metavar="N", min=1, help="Documents to show.")] = 10,
    max_hops: Annotated[int, typer.Option("--max-hops", metavar="N", min=1, help="Rounds at most.")] = 1,
    model: Model = None,
    store: Store = None,
    json: AsJson = False,
    device: Device = None,
    gpu_budget: GpuBudget = None,
    ram_budget: RamBudget = None,
) -> int:
    """Show the documents that a question is routed to."""
    text = batches.one_question(question, batch)
    with opening.open_memory(
        store, model=model, device=device, gpu_budget=gpu_budget, ram_budget=ram_budget, thinks=True
    ) as memory:
        if batch is not None:
            return batches.run_batch(
                batch,
                lambda one: memory.recall(one, k, max_hops=max_hops),
                lambda result: bool(result.documents),
            )
        result = memory.recall(text, k, max_hops=max_hops)
    page = Page()
    if json:
        page.json(result.to_dict())
    else:
        views.recall(page, result)
    if not result.documents:
        note("nothing in memory to choose from")
    return FOUND if result.documents else NOTHING
