"""What moves on stderr while the engine works: a bar for ingest, a line for each hop of a question."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.results import Hop, IngestProgress
from msa_cli import views
from msa_cli.page import Page, one_line

if TYPE_CHECKING:
    from rich.text import Text


@contextmanager
def ingest_bar(label: str) -> Iterator[Callable[[IngestProgress], None] | None]:
    """The callback for `Memory.ingest`: files, tokens/s, time left. None where no terminal would show it."""
    page = Page(sys.stderr)
    if not page.fancy:
        yield None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
    from rich.table import Column

    name = TextColumn(
        "{task.fields[current]}",
        markup=False,
        style="dim",
        table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
    )
    columns = [
        SpinnerColumn(),
        TextColumn("{task.description} {task.fields[files]}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        name,
    ]
    with Progress(*columns, console=page.console, transient=True, expand=True) as progress:
        task = progress.add_task(label, total=None, files="", rate="", current="loading the model")
        began: float | None = None

        def show(now: IngestProgress) -> None:
            nonlocal began
            # The clock starts with the first report: loading the model is not slow encoding.
            began = time.monotonic() if began is None else began
            elapsed = time.monotonic() - began
            rate = f"{views.count(now.tokens / elapsed)} tokens/s" if now.tokens and elapsed > 0 else ""
            progress.update(
                task,
                total=now.bytes_total,
                completed=now.bytes_done,
                files=f"{views.count(now.files_done)}/{views.count(now.files_total)} files",
                rate=rate,
                current=one_line(now.current),
            )

        yield show


@contextmanager
def hop_lines(verbose: bool, transient: bool = True) -> Iterator[Callable[[Hop], None] | None]:
    """The callback for `Memory.ask`: every hop in full when `verbose`, else a passing line on a terminal."""
    page = Page(sys.stderr)
    if verbose:
        yield lambda hop: views.hop(page, hop)
    elif page.fancy and transient:
        with page.console.status("reading the question") as status:
            yield lambda hop: status.update(_passing(hop))
    else:
        yield None


def _passing(hop: Hop) -> Text:
    from rich.text import Text

    chosen = [document.source for document in hop.documents if document.chosen]
    text = f"hop {hop.round}: {one_line(hop.query)} -> {', '.join(map(one_line, chosen)) or 'nothing'}"
    return Text(text, no_wrap=True, overflow="ellipsis")
