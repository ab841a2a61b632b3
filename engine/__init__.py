"""The library: `from engine import Memory`. Importing it is cheap; torch comes in with the first encoded text."""

from engine._version import __version__
from engine.errors import MsaError
from engine.results import Answer, Citation, Footprint, IngestReport, Recall

__all__ = ["Answer", "Citation", "Footprint", "IngestReport", "Memory", "MsaError", "Recall", "__version__"]


def __getattr__(name: str):
    if name == "Memory":
        from engine.memory import Memory

        return Memory
    raise AttributeError(f"module 'engine' has no attribute {name!r}")
