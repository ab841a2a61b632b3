"""A corpus every machine with Python has and nobody here wrote: the standard library's own sources."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Iterable
from pathlib import Path

CHARACTERS_A_TOKEN = 3.3


def modules(folder: Path, names: Iterable[str]) -> Path:
    """Copy these files of the standard library, named by their paths in it."""
    source = Path(sysconfig.get_paths()["stdlib"])
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)
    return folder


def standard_library(folder: Path, tokens: int) -> Path:
    """Copy sources of the standard library, in sorted order, until they hold about `tokens` tokens."""
    source = Path(sysconfig.get_paths()["stdlib"])
    wanted = tokens * CHARACTERS_A_TOKEN
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source)
        if wanted <= 0:
            break
        if name.parts[0] in ("site-packages", "test", "idlelib", "lib2to3") or "__pycache__" in name.parts:
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        wanted -= path.stat().st_size
    return folder
