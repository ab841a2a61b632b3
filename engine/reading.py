"""Files read and cut into documents, in order: here, or ahead of need in other processes.

Readers in processes pay where encoding is quicker than reading, on a GPU. They are plain child processes that take
tasks from their standard input, so that a program which uses the library need not be importable, and one that dies
over a file (a parser's crash, no memory) costs that file only.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import SourceError
from engine.sources import DocumentSpan, SourceText, content_hash, cut, read_source
from engine.sources.files import shown
from engine.sources.long_text import LONG_BYTES

Counter = Callable[[list[str]], list[int]]

# A larger file is read here, as it is gone through: its text need not travel, and records come one by one.
LARGE_BYTES = LONG_BYTES
AHEAD = 4


@dataclass(frozen=True)
class FileTask:
    """A file to read. `name` titles its documents; `known` is the hash of its content as it is stored, if it is."""

    path: Path
    name: str
    size: int
    known: str | None = None


@dataclass
class FileRead:
    """A file's sources, to be gone through once, each with its documents if it was cut already; then `errors` is
    complete. `failed` is why nothing of it could be read."""

    digest: str = ""
    unchanged: bool = False
    sources: Iterable[tuple[SourceText, list[DocumentSpan] | None]] = ()
    errors: list[SourceError] = field(default_factory=list)
    failed: SourceError | None = None


def read_file(task: FileTask) -> FileRead:
    """The file's sources, not cut. Going through those of a .jsonl may raise SourceError."""
    try:
        digest = content_hash(task.path)
        if digest == task.known:
            return FileRead(digest, unchanged=True)
        result = read_source(task.path)
    except SourceError as error:
        return FileRead(failed=error)
    return FileRead(digest, sources=((source, None) for source in result.sources), errors=result.errors)


class Readers:
    """Reads files in `workers` other processes, a few ahead of what is asked for; in this one if there are none."""

    def __init__(self, workers: int, count: Counter, max_tokens: int):
        self.workers, self.settings = workers, (count, max_tokens)
        self._threads = ThreadPoolExecutor(max(1, workers), "reader")
        self._own = threading.local()
        self._started: list[_Process] = []

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._started:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._started:
            process.close()

    def read(self, tasks: Iterable[FileTask]) -> Iterator[FileRead]:
        """What every task gave, in the order of the tasks."""
        if not self.workers:
            yield from map(read_file, tasks)
            return
        waiting: deque[Callable[[], FileRead]] = deque()
        for task in tasks:
            waiting.append(self._begin(task))
            if len(waiting) > AHEAD * self.workers:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()

    def _begin(self, task: FileTask) -> Callable[[], FileRead]:
        if task.size >= LARGE_BYTES:
            return lambda: read_file(task)
        future: Future[FileRead] = self._threads.submit(self._elsewhere, task)
        return future.result

    def _elsewhere(self, task: FileTask) -> FileRead:
        """Runs in one of the threads, each of which has a process of its own."""
        try:
            if not hasattr(self._own, "process"):
                self._own.process = _Process(self.settings)
                self._started.append(self._own.process)
            return self._own.process.read(task)
        except (OSError, EOFError, pickle.UnpicklingError):
            if process := vars(self._own).pop("process", None):
                process.kill()
            return FileRead(failed=SourceError(shown(task.path), "its reader crashed"))


class _Process:
    """A child process that reads and cuts the files it is told."""

    def __init__(self, settings: tuple[Counter, int]):
        path = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        # One core a reader: tokenising on all of them is for the process that encodes.
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path)), "TOKENIZERS_PARALLELISM": "false"}
        # -P: what is imported never comes from the working directory, which may be what is being ingested.
        command = [sys.executable, "-P", "-c", "from engine.reading import serve; serve()"]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._send(settings)

    def read(self, task: FileTask) -> FileRead:
        """Raises OSError or EOFError when the process is gone."""
        self._send(task)
        assert self._child.stdout is not None
        return pickle.load(self._child.stdout)

    def kill(self) -> None:
        self._child.kill()

    def close(self) -> None:
        """After `kill`, and with nobody reading."""
        with self._child:
            pass

    def _send(self, thing: object) -> None:
        assert self._child.stdin is not None
        pickle.dump(thing, self._child.stdin)
        self._child.stdin.flush()


def serve() -> None:
    """The child's side, until its standard input ends: a task in, what it gave out, read and cut."""
    # Ctrl-C is for the parent, which then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(os.dup(1), "wb") as answers:
        # What a parser prints must not get between the answers.
        os.dup2(2, 1)
        count, max_tokens = pickle.load(sys.stdin.buffer)
        while True:
            try:
                task = pickle.load(sys.stdin.buffer)
            except EOFError:
                return
            read = _read_and_cut(task, count, max_tokens)
            try:
                pickle.dump(read, answers)
                answers.flush()
            except BrokenPipeError:  # The parent was killed.
                os._exit(1)


def _read_and_cut(task: FileTask, count: Counter, max_tokens: int) -> FileRead:
    read = read_file(task)
    try:
        read.sources = [(source, cut(source, task.name, count, max_tokens)) for source, _ in read.sources]
    except SourceError as error:
        return FileRead(failed=error)
    return read
