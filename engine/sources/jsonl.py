"""Records of a .jsonl file: `{"id": ..., "title": ..., "text": ...}`, one to a line, read line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from engine.errors import SourceError
from engine.sources.decode import decode, marked, storable
from engine.sources.files import first_bytes, lines, read_bytes, shown
from engine.sources.text import paragraphs
from engine.sources.titles import clean_title
from engine.sources.types import SourceText

KEY = b'"text"'


def read_records(path: Path, errors: list[SourceError]) -> Iterator[SourceText]:
    """One source per record, one line of the file in memory at a time.

    Bad lines become errors that name `path:line`, added to `errors` as they come by. A missing id is the line's
    number, a missing title the id. Raises SourceError when the file cannot be read on.
    """
    seen: dict[str, int] = {}
    for number, raw in enumerate(utf8_lines(path), 1):
        try:
            line = decode(raw, path).removeprefix("\ufeff")
            if not line.strip():
                continue
            record = _record(line)
            name = str(record.get("id") if record.get("id") is not None else number)
            name = clean_title(storable(name)) or str(number)
            if name in seen:
                raise ValueError(f'the id "{name}" was already used on line {seen[name]}')
            body = storable(record["text"])
            if not body.strip("\ufeff \t\r\n\f\v") or body.isspace():
                raise ValueError("empty")
            title = record.get("title")
            title = clean_title(storable(title)) if isinstance(title, str) else ""
            seen[name] = number
        except (SourceError, ValueError) as error:
            reason = error.reason if isinstance(error, SourceError) else str(error)
            errors.append(SourceError(f"{shown(path)}:{number}", reason))
        else:
            yield SourceText(body, "jsonl", title or name, paragraphs(body), record=name, line=number)


def utf8_lines(path: Path) -> Iterator[bytes]:
    """The lines of the file, as they are unless it is marked as UTF-16/32. Raises SourceError."""
    if not marked(first_bytes(path)):
        yield from lines(path)
    else:
        yield from (storable(line).encode() for line in decode(read_bytes(path), path).split("\n"))


def _record(line: str) -> dict[str, object]:
    """One parsed line. Raises ValueError in plain words."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON ({error.msg} at column {error.colno})") from None
    except RecursionError:
        raise ValueError("not valid JSON (nested too deeply)") from None
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    if not isinstance(record.get("text"), str):
        raise ValueError('no "text" string')
    return record
