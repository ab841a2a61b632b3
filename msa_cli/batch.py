"""Where questions come from: the command line, stdin, or a batch (JSON lines in, JSON lines out)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import typer

from engine.errors import MsaError
from msa_cli.errors import ERROR, FOUND, NOTHING, say
from msa_cli.page import Page


def one_question(question: str | None, batch: str | None) -> str:
    """The question of a single run, read from stdin for `-`; empty when a batch brings its own."""
    if (question is None) == (batch is None):
        raise typer.TyperException("give either a QUESTION or --batch FILE")
    if question is None:
        return ""
    if question == "-":
        question = sys.stdin.buffer.read().decode("utf-8", "replace")
    if not question.strip():
        raise MsaError("the question is empty")
    return question.strip()


@contextmanager
def open_lines(path: str) -> Iterator[BinaryIO]:
    """The file at `path` for reading, or stdin for `-`."""
    if path == "-":
        yield sys.stdin.buffer
        return
    with open(path, "rb") as file:
        yield file


def parse(line: bytes) -> tuple[str | int, str]:
    """The id and the question of one line. Raises ValueError saying what is wrong with it."""
    try:
        record = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        raise ValueError("not valid JSON") from error
    if not isinstance(record, dict):
        raise ValueError('not an object with "id" and "question"')
    name, question = record.get("id"), record.get("question")
    if isinstance(name, bool) or not isinstance(name, (str, int)):
        raise ValueError('"id" must be a string or an integer')
    if not isinstance(question, str) or not question.strip():
        raise ValueError('"question" must be a string that is not empty')
    return name, question


def run_batch(path: str, ask: Callable[[str], Any], found: Callable[[Any], bool]) -> int:
    """Ask every question of the file at `path` (`-`: stdin), writing each result as soon as it is there.

    A line that is malformed, or whose question the engine refuses, is reported and skipped. Errors of the
    memory or the model itself would meet every question alike, so they end the batch. `found` says of a
    result whether it counts as found. Returns the exit code.
    """
    with open_lines(path) as lines:
        return _run(lines, "stdin" if path == "-" else path, ask, found)


def _run(lines: Iterable[bytes], label: str, ask: Callable[[str], Any], found: Callable[[Any], bool]) -> int:
    page = Page()
    any_found = any_bad = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            name, question = parse(line)
            result = ask(question)
        except (ValueError, MsaError) as error:
            # A subclass of MsaError speaks of the memory or the model, MsaError itself of this question.
            if isinstance(error, MsaError) and type(error) is not MsaError:
                raise
            say(f"{label}:{number}: {error}")
            any_bad = True
            continue
        any_found = any_found or found(result)
        page.json({"id": name, **result.to_dict()}, pretty=False, flush=True)
        if page.closed:
            break
    if any_bad:
        return ERROR
    return FOUND if any_found else NOTHING
