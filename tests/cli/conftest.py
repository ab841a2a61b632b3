from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from fake_memory import FakeMemory  # noqa: E402

CHILD = [sys.executable, str(HERE / "fake_memory.py")]


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("MSA_DEBUG", "MSA_STORE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)


@pytest.fixture
def memory(monkeypatch) -> FakeMemory:
    """The memory that the commands of this test open."""
    fake = FakeMemory()
    monkeypatch.setattr("msa_cli.opening.open_memory", fake.open)
    return fake


@pytest.fixture
def msa(memory, monkeypatch, capsys):
    """Run a command line in this process, with pipes for streams."""
    from msa_cli.app import main

    def run(*arguments: str, stdin: str | bytes = "") -> Ran:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        code = main(list(arguments))
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def child():
    """Start the command line over a fake memory as a process; pass what subprocess.Popen takes."""
    started = []

    def start(*arguments: str, **options) -> subprocess.Popen:
        # A shell's background job ignores SIGINT, and so would what it starts.
        options.setdefault("preexec_fn", lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        process = subprocess.Popen([*CHILD, *arguments], **options)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


@pytest.fixture
def on_terminal(child):
    """Run a command line whose three streams are one terminal, 80 columns wide; returns code and output."""
    import pty

    def run(*arguments: str, typed: str = "", **variables: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        environment = {**os.environ, "COLUMNS": "80", **variables}
        process = child(*arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        os.write(ours, typed.encode())
        output = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end was closed
                break
            if not piece:
                break
            output += piece
        os.close(ours)
        return process.wait(timeout=30), output.decode()

    return run
