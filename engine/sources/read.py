"""A file to its sources: bytes, text, sections. The readers are imported when their kind first appears."""

from __future__ import annotations

from pathlib import Path

from engine.errors import SourceError
from engine.sources.decode import decode, looks_binary, marked
from engine.sources.files import file_size, first_bytes, read_bytes, shown
from engine.sources.kinds import BINARY_KINDS, kind_of, language_of
from engine.sources.long_text import LONG_BYTES, LongText
from engine.sources.outline import outlined
from engine.sources.text import paragraphs
from engine.sources.types import ReadResult, Section, SourceText

BLANK = " \t\r\n\f\v\ufeff"


def read_source(path: Path) -> ReadResult:
    """The sources of one file: one, or one per record of a .jsonl.

    Raises SourceError when the whole file cannot be read. What was left out of a file that could be read is in
    `errors`: bad lines of a .jsonl, or the file itself with the reason "empty".
    """
    path = Path(path)
    kind = kind_of(path.name)
    if kind == "jsonl" and _holds_records(path):
        from engine.sources.jsonl import read_records

        errors: list[SourceError] = []
        return ReadResult(read_records(path, errors), errors)
    if kind in ("text", "csv", "jsonl") and (long := _long_text(path, kind)) is not None:
        return long
    data = read_bytes(path)
    if not data:
        return _empty(path)
    if kind in ("pdf", "epub"):
        from engine.sources.pdf import read_paged

        return ReadResult([read_paged(data, path, kind)])
    if kind in BINARY_KINDS:
        from engine.sources.pdf import read_flowing

        return ReadResult([read_flowing(data, path, kind)])
    text = decode(data, path)
    del data
    if _is_blank(text):
        return _empty(path)
    if kind == "jsonl":
        return _plain(text, path)
    if kind == "notebook":
        from engine.sources.notebook import notebook_text

        told = notebook_text(text)
        return ReadResult([SourceText(told[0], kind, path.name, told[1])]) if told else _plain(text, path)
    if kind == "html":
        from engine.sources.html import html_text

        text, title, sections = html_text(text)
        if _is_blank(text):
            return _empty(path)
        return ReadResult([SourceText(text, kind, title or path.name, sections)])
    return ReadResult([SourceText(text, kind, path.name, sections_of(text, kind, path.name))])


def sections_of(text: str, kind: str, name: str) -> list[Section]:
    """The sections that the text itself shows, for a file of this kind and name."""
    if kind == "markdown":
        from engine.sources.markdown import markdown_sections

        return markdown_sections(text)
    if kind == "rst":
        from engine.sources.rst import rst_sections

        return rst_sections(text)
    if kind == "code":
        from engine.sources.code import code_sections

        return code_sections(text, language_of(name) or "") or paragraphs(text)
    return (outlined(text, name) if kind == "text" else []) or paragraphs(text)


def _holds_records(path: Path) -> bool:
    """Whether any line could be a record."""
    from engine.sources.jsonl import KEY, utf8_lines

    return not looks_binary(first_bytes(path)) and any(KEY in line for line in utf8_lines(path))


def _long_text(path: Path, kind: str) -> ReadResult | None:
    """A large file of plain UTF-8, left where it is; None for any other, which has to be read to be decoded."""
    if file_size(path) < LONG_BYTES:
        return None
    head = first_bytes(path)
    if looks_binary(head) or marked(head):
        return None
    try:
        text = LongText(path)
    except UnicodeDecodeError:
        return None
    if all(_is_blank(part) for _, part in text.parts()):
        return _empty(path)
    # Its sections are found as it is cut.
    return ReadResult([SourceText(text, "csv" if kind == "csv" else "text", path.name, [])])


def _plain(text: str, path: Path) -> ReadResult:
    return ReadResult([SourceText(text, "text", path.name, paragraphs(text))])


def _is_blank(text: str) -> bool:
    return not text.lstrip(BLANK) or text.isspace()


def _empty(path: Path) -> ReadResult:
    return ReadResult([], [SourceError(shown(path), "empty")])
