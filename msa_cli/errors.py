"""Exceptions to one line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from engine.errors import MsaError
from msa_cli.page import Page

FOUND = OK = 0
NOTHING = 1
ERROR = 2
INTERRUPTED = 130


def say(message: str) -> None:
    """One line on stderr, with the tool's name."""
    Page(sys.stderr).line(f"msa: {message}")


def note(message: str) -> None:
    """One line on stderr that is no error."""
    Page(sys.stderr).line((message, "dim"))


def report(error: BaseException) -> int:
    """Tell the user about `error`; returns the exit code."""
    if os.environ.get("MSA_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt):
        note("interrupted; everything committed so far is kept")
        return INTERRUPTED
    if isinstance(error, MsaError):
        say(str(error))
    elif isinstance(error, OSError) and error.strerror:
        place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
        say(place + error.strerror)
    else:
        say(f"unexpected {type(error).__name__}: {error} (run with MSA_DEBUG=1 for the traceback)")
    return ERROR


def report_usage(error: Any) -> int:
    """Tell the user about a wrong command line; `error` is Typer's exception."""
    say(error.format_message())
    context = getattr(error, "ctx", None)
    if context is not None:
        note(f"try '{context.command_path} --help'")
    return ERROR


class Commands(TyperGroup):
    """The group of commands: a command returns its exit code, and its exceptions become one.

    They are met here, below Typer's own handling, which would swallow an interrupt without a word.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            code = super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, SystemExit):
            raise
        except BaseException as error:
            code = report(error)
        raise typer.Exit(code or OK)
