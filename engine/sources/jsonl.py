"""Records of a .jsonl file: `{"id": ..., "title": ..., "text": ...}`, one to a line."""

from __future__ import annotations

import json
from pathlib import Path

from engine.errors import SourceError
from engine.sources.decode import storable
from engine.sources.files import shown
from engine.sources.text import paragraphs
from engine.sources.titles import clean_title
from engine.sources.types import ReadResult, SourceText


def read_records(text: str, path: Path) -> ReadResult | None:
    """One source per record; bad lines become errors that name `path:line`. None when no line has a "text" key.

    A missing id is the line's number, a missing title the id.
    """
    sources: list[SourceText] = []
    errors: list[SourceError] = []
    seen: dict[str, int] = {}
    ours = False
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = _record(line)
            ours = True
            name = str(record.get("id") if record.get("id") is not None else number)
            name = clean_title(storable(name)) or str(number)
            if name in seen:
                raise ValueError(f'the id "{name}" was already used on line {seen[name]}')
            body = storable(record["text"])
            if not body.strip("\ufeff \t\r\n\f\v") or body.isspace():
                raise ValueError("empty")
            title = record.get("title")
            title = clean_title(storable(title)) if isinstance(title, str) else ""
            sources.append(SourceText(body, "jsonl", title or name, paragraphs(body), record=name, line=number))
            seen[name] = number
        except ValueError as error:
            ours = ours or '"text"' in line
            errors.append(SourceError(f"{shown(path)}:{number}", str(error)))
    return ReadResult(sources, errors) if ours else None


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
