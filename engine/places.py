"""Where this process is, and where a memory lives when nobody says: MSA_STORE, a `.msa` folder found upward, else the user's data directory."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = ".msa"


def store_directory(explicit: Path | str | None = None, start: Path | None = None) -> Path:
    """The memory's directory, absolute; it need not exist yet."""
    if explicit is None:
        explicit = os.environ.get("MSA_STORE") or None
    if explicit is not None:
        return Path(explicit).expanduser().absolute()
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if os.path.isdir(folder / FOLDER):
            return folder / FOLDER
    from platformdirs import user_data_path

    return user_data_path("msa", appauthor=False) / "memory"


def bundled_model() -> Path:
    """The folder of the model that ships with the package."""
    return Path(__file__).parent / "bundled"


def world_size() -> int:
    """Processes that `torchrun` started together with this one; 1 without it."""
    known = all(name in os.environ for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"))
    return int(os.environ.get("WORLD_SIZE", "1")) if known else 1
