"""The options that several commands share, declared once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer


def inherit(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
    """The value given after the command's name, else the one given before it."""
    if not value and ctx.parent is not None:
        return ctx.parent.params.get(param.name)
    return value


# MSA_STORE is read by the engine, so that the library and the command line find the same memory.
Store = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="DIR",
        callback=inherit,
        help="The memory's folder. Else MSA_STORE, a .msa/ here or above, the user's data folder.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", callback=inherit, help="One JSON document on stdout.")]
Device = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="NAME", callback=inherit, help="Where to compute: cpu, cuda, cuda:1 ..."
    ),
]
Model = Annotated[
    Path | None,
    typer.Option("--model", metavar="DIR", help="A model folder in place of the one that ships."),
]
Wait = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", min=0.0, help="How long to wait for another writer to finish."),
]


def size(value: str) -> int:
    """Bytes, as `1500000000`, `512M` or `1.5G`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", value.strip(), re.IGNORECASE)
    if not found:
        raise typer.BadParameter(f"{value!r} is not a size such as 512M or 2G")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))


GpuBudget = Annotated[
    int | None,
    typer.Option("--gpu-budget", metavar="SIZE", parser=size, help="Router keys on the GPU at most, such as 2G."),
]
RamBudget = Annotated[
    int | None,
    typer.Option(
        "--ram-budget",
        metavar="SIZE",
        parser=size,
        help="Router keys in RAM at most; the rest is read from the disk as it is scanned.",
    ),
]
Batch = Annotated[
    str | None,
    typer.Option(
        "--batch",
        metavar="FILE",
        help='Questions from a .jsonl of {"id", "question"} ("-": stdin); one JSON object a line comes back.',
    ),
]
Question = Annotated[
    str | None, typer.Argument(metavar="QUESTION", help='The question, or "-" to read it from stdin.')
]
