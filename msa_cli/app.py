"""The command line: `msa COMMAND ...`.

Results go to stdout, all else to stderr.
Exit codes: 0 found or done, 1 nothing found, 2 error, 130 interrupted.
"""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from msa_cli import asking, keeping
from msa_cli.errors import OK, Commands, report, report_usage
from msa_cli.options import AsJson, Device, Store
from msa_cli.page import Page, is_terminal, silence

# The boxes and colours of Typer's help are for a terminal; drawing them takes half of the time of `--help`.
app = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich" if is_terminal(sys.stdout) else None,
    pretty_exceptions_enable=False,
)
for command in (
    keeping.ingest,
    asking.ask,
    asking.recall,
    keeping.forget,
    keeping.sources,
    keeping.stats,
    keeping.verify,
    keeping.rebuild,
):
    app.command()(command)


def show_version(wanted: bool) -> None:
    """Answer `--version`."""
    if wanted:
        from engine import __version__

        Page().line(f"msa {__version__}")
        raise typer.Exit(OK)


@app.callback()
def before_the_command(
    store: Store = None,
    json: AsJson = False,
    device: Device = None,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Remember folders of documents and code, offline, and answer from them with citations."""
    # Options given here are taken up by the command: options.inherit.


def main(argv: list[str] | None = None) -> int:
    """Run the command line `argv` (without the program's name); returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A file name may hold bytes that are no text in any encoding; it must not stop a listing.
        stream.reconfigure(errors="backslashreplace")
    # As an exception, a request to end still releases locks and gives the terminal its cursor back.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = app(arguments or ["--help"], prog_name="msa", standalone_mode=False)
    except typer.TyperException as error:
        code = report_usage(error)
    except (KeyboardInterrupt, typer.Abort):
        code = report(KeyboardInterrupt())
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
    return code or OK
