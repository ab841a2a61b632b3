"""The commands that keep a memory: `ingest`, `rebuild`, `forget`, `sources`, `stats`, `verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import MsaError
from engine.results import Forgotten, SourceInfo
from msa_cli import opening, progress, reports, views
from msa_cli.errors import ERROR, NOTHING, OK, note
from msa_cli.options import AsJson, Device, GpuBudget, Model, RamBudget, Store, Wait
from msa_cli.page import Page, is_terminal


def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders.")],
    prune: Annotated[bool, typer.Option("--prune", help="Drop sources that are no longer on disk.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be read.")] = False,
    hidden: Annotated[bool, typer.Option("--hidden", help="Read hidden files too.")] = False,
    wait: Wait = 0.0,
    model: Model = None,
    store: Store = None,
    json: AsJson = False,
    device: Device = None,
) -> int:
    """Read files and folders into memory.

    Unchanged files are passed over, so that running it again costs little.
    """
    with opening.open_memory(store, model=model, device=device, create=True, thinks=not dry_run) as memory:
        with progress.ingest_bar("ingest") as bar:
            report = memory.ingest(
                paths, prune=prune, dry_run=dry_run, hidden=hidden, wait=wait, progress=bar
            )
    page = Page()
    if json:
        page.json(report.to_dict())
    elif dry_run:
        reports.listing(page, report)
    else:
        reports.ingest(page, report, "ingested")
    return ERROR if report.failed else OK


def rebuild(
    wait: Wait = 0.0,
    model: Model = None,
    store: Store = None,
    json: AsJson = False,
    device: Device = None,
) -> int:
    """Encode everything in memory anew."""
    with opening.open_memory(store, model=model, device=device, thinks=True) as memory:
        with progress.ingest_bar("rebuild") as bar:
            report = memory.rebuild(progress=bar, wait=wait)
    page = Page()
    if json:
        page.json(report.to_dict())
    else:
        reports.ingest(page, report, "rebuilt")
    return ERROR if report.failed else OK


def forget(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names as `msa sources` shows them.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = 0.0,
    store: Store = None,
    json: AsJson = False,
    device: Device = None,
) -> int:
    """Remove sources from memory and from the disk."""
    with opening.open_memory(store, device=device) as memory:
        # Every name is looked up before anything goes, so that a slip in one of them forgets nothing.
        matches = {name: memory.find(name) for name in names}
        for name, found in matches.items():
            if not found:
                raise MsaError(f"{name}: not in memory; nothing was forgotten")
        doomed = {source.id: source for found in matches.values() for source in found}
        ask_first = not yes and is_terminal(sys.stdin) and is_terminal(sys.stderr)
        if ask_first and not confirmed(list(doomed.values())):
            note("nothing was forgotten")
            return NOTHING
        result = Forgotten(sources=[], documents=0, tokens=0)
        for name, found in matches.items():
            # A folder given before one of its files has taken the file along.
            if not any(source.id in doomed for source in found):
                continue
            part = memory.forget(name, wait=wait)
            for source in found:
                doomed.pop(source.id, None)
            result = Forgotten(
                sources=result.sources + part.sources,
                documents=result.documents + part.documents,
                tokens=result.tokens + part.tokens,
            )
    page = Page()
    if json:
        page.json(result.to_dict())
    else:
        reports.forgotten(page, result)
    return OK


def confirmed(doomed: list[SourceInfo]) -> bool:
    """Show on stderr what would go, and ask; only a plain yes counts."""
    page = Page(sys.stderr)
    for source in doomed[: reports.SPREAD]:
        page.line(source.name, indent=2)
    if len(doomed) > reports.SPREAD:
        page.line(f"... and {views.count(len(doomed) - reports.SPREAD)} more", indent=2)
    documents = views.plural(sum(source.documents for source in doomed), "document")
    page.write(f"Forget {views.plural(len(doomed), 'source')} ({documents})? [y/N] ", flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def sources(store: Store = None, json: AsJson = False, device: Device = None) -> int:
    """List what is in memory."""
    with opening.open_memory(store, device=device) as memory:
        items = memory.sources()
    page = Page()
    if json:
        page.json({"sources": [item.to_dict() for item in items]})
    else:
        views.sources(page, items)
    if not items:
        note("memory is empty")
    return OK


def stats(
    store: Store = None,
    json: AsJson = False,
    device: Device = None,
    gpu_budget: GpuBudget = None,
    ram_budget: RamBudget = None,
) -> int:
    """Show what the memory holds and costs, tier by tier."""
    with opening.open_memory(store, device=device, gpu_budget=gpu_budget, ram_budget=ram_budget) as memory:
        result = memory.stats()
    page = Page()
    if json:
        page.json(result.to_dict())
    else:
        reports.stats(page, result)
    return OK


def verify(store: Store = None, json: AsJson = False, device: Device = None) -> int:
    """Check the memory for damage."""
    with opening.open_memory(store, device=device) as memory:
        result = memory.verify()
    page = Page()
    if json:
        page.json(result.to_dict())
    else:
        views.verification(page, result)
    return OK if result.sound else ERROR
