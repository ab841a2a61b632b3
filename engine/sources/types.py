"""What travels through this package: found files, their text with its sections, and the documents cut from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import SourceError
from engine.results import FailedSource
from engine.sources.long_text import LongText


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read: `name` is its posix path below the absolute `root`. About 200 bytes a file in a long list."""

    root: Path
    name: str
    size: int
    mtime_ns: int

    @property
    def path(self) -> Path:
        return self.root / self.name


@dataclass(frozen=True)
class Discovery:
    """What lies under the given roots, in sorted order, and what was left out and why."""

    found: list[Found]
    skipped: list[FailedSource]


@dataclass(frozen=True, slots=True)
class Section:
    """A natural unit `[start, end)` of a source's text; `title` is its title path below the file."""

    start: int
    end: int
    title: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceText:
    """The stored text of one source.

    For a UTF-8 file `text` is exactly the decoded file, so that offsets are the file's characters. `sections` are in
    order and do not overlap; a LongText has none, they are found as it is cut. `page_starts[i]` is the character where
    page i + 1 starts (pdf and epub only).
    """

    text: str | LongText
    kind: str
    title: str
    sections: list[Section]
    record: str | None = None
    line: int | None = None
    page_starts: list[int] | None = None


@dataclass(frozen=True)
class ReadResult:
    """The sources of one file. `errors` names what of the file was left out: bad .jsonl lines, or "empty".

    The records of a .jsonl file are read while `sources` is gone through, once; then `errors` is complete. That may
    raise SourceError.
    """

    sources: Iterable[SourceText]
    errors: list[SourceError] = field(default_factory=list)


@dataclass(frozen=True)
class DocumentSpan:
    """A document: the slice `[start, end)` of its source's text and its title path, joined with " > "."""

    start: int
    end: int
    title: str
