"""Shore-side telemetry tools for Fulmar buoys."""

__version__ = "2.6.0"

from .errors import FulmarError
from .frames import Frame, StreamDecoder

__all__ = ["Frame", "FulmarError", "StreamDecoder", "__version__"]
