"""The stamp of a memory: the model that encoded it and the geometry of its states."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.errors import StoreCorruptError
from engine.model.states import StateShape
from engine.store.catalog import CATALOG


@dataclass(frozen=True)
class Stamp:
    """Rows of the catalog's `meta` table."""

    model_name: str
    fingerprint: str
    shape: StateShape

    @classmethod
    def of(cls, meta: dict[str, str], directory: Path) -> Stamp:
        """Raises StoreCorruptError when a row is missing or is not what it should be."""
        try:
            return cls(meta["model_name"], meta["model_fingerprint"], StateShape(**json.loads(meta["state_shape"])))
        except (KeyError, ValueError, TypeError) as error:
            raise StoreCorruptError(f"{directory / CATALOG}: the memory's stamp is damaged.") from error

    def rows(self) -> list[tuple[str, str]]:
        return [
            ("model_name", self.model_name),
            ("model_fingerprint", self.fingerprint),
            ("state_shape", json.dumps(asdict(self.shape))),
        ]
