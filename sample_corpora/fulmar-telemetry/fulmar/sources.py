"""Where bytes come from."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Iterator

CHUNK = 4096
SPOOL_SUFFIX = ".bin"


def from_file(path: Path, chunk: int = CHUNK) -> Iterator[bytes]:
    """Read a spool file piece by piece."""
    with path.open("rb") as stream:
        while data := stream.read(chunk):
            yield data


def from_path(path: Path) -> Iterator[bytes]:
    """Read one file, or every spool file of a directory in name order."""
    if path.is_dir():
        for item in sorted(path.glob(f"*{SPOOL_SUFFIX}")):
            yield from from_file(item)
    else:
        yield from from_file(path)


class GatewayListener:
    """Accept one connection of a radio gateway at a time.

    The port has no default on purpose: each gateway has its own, and two
    installations that listen on the same one would steal each other's data.
    A gateway that stays quiet for ``idle_s`` seconds is disconnected; it is
    expected to call again.
    """

    def __init__(self, host: str, port: int, idle_s: float = 240.0) -> None:
        self.address = (host, port)
        self.idle_s = idle_s

    def chunks(self, connections: int | None = None) -> Iterator[bytes]:
        """Yield received bytes; stop after ``connections`` calls if given."""
        with socket.create_server(self.address) as server:
            self.address = server.getsockname()[:2]
            served = 0
            while connections is None or served < connections:
                connection, _ = server.accept()
                served += 1
                connection.settimeout(self.idle_s)
                with connection:
                    try:
                        while data := connection.recv(CHUNK):
                            yield data
                    except (TimeoutError, ConnectionResetError):
                        continue
