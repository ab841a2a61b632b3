"""Bytes to text that can be stored: UTF-8 exactly, UTF-16/32 by their mark, then what the file declares, then a guess.

Line ends and a byte order mark stay in the text: offsets are those of the file's characters.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from engine.errors import SourceError
from engine.sources.files import SNIFF_BYTES, shown

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""(?:charset|coding)\s*[=:]\s*["']?\s*([A-Za-z0-9][\w.:-]*)""", re.IGNORECASE)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x0b\x08\x1b")) + b"\x7f"
_SURROGATES = re.compile("[\ud800-\udfff]")
# Three letters beyond ASCII in a row, or a sign other than an apostrophe or a dash between two letters.
_NOT_WESTERN = re.compile(r"[^\W\x00-\x7f]{3}|[^\W\d_][\xa1-\xac\xae-\xb6\xb8-\xbf\u20ac\u0192\u2020-\u2022\u2030][^\W\d_]")
_SAMPLE = 32_768


def looks_binary(head: bytes) -> bool:
    """Whether the first bytes of a file hold a NUL and no UTF-16/32 mark."""
    return b"\0" in head and not marked(head)


def marked(head: bytes) -> bool:
    """Whether a file begins with a UTF-16/32 mark: its lines do not end where its line feed bytes are."""
    return any(head.startswith(mark) for mark, _ in _MARKS)


def storable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot hold, replaced by U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def decode(data: bytes, path: Path) -> str:
    """The text of a file's bytes. Raises SourceError("not text")."""
    if looks_binary(data[:SNIFF_BYTES]):
        raise SourceError(shown(path), "not text")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _try(data, encoding)
            if text is None:
                raise SourceError(shown(path), "not text")
            return text
    text = _try(data, "utf-8")
    if text is None:
        text = _legacy(data)
    if text is None:
        raise SourceError(shown(path), "not text")
    return text


def _legacy(data: bytes) -> str | None:
    """The text of bytes that are not valid UTF-8, or None."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    # A few bad bytes in a file that is otherwise UTF-8: a guess would garble all the rest.
    if _beyond_ascii(text) - broken >= 4 * broken:
        return text
    if declared := _DECLARED.search(data[:1024]):
        text = _try(data, declared[1].decode("ascii"))
        if text is not None:
            return storable(text)
    sample = _sample(data)
    if len(sample) - len(sample.translate(None, _CONTROLS)) > len(sample) // 50:
        return None
    encoding = _guess(sample)
    if encoding is None:
        return None
    text = _try(data, encoding)
    return storable(text) if text is not None else data.decode("latin-1")


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _sample(data: bytes) -> bytes:
    """At most 32 KB, chosen around the first byte beyond ASCII: guessing over a whole large file is slow."""
    if len(data) <= _SAMPLE:
        return data
    first = re.search(rb"[\x80-\xff]", data)
    start = max(0, (first.start() if first else 0) - _SAMPLE // 2)
    return data[start : start + _SAMPLE]


def _guess(sample: bytes) -> str | None:
    """The likeliest encoding, or None.

    A few accented letters are too little for statistics, which then choose any of a dozen encodings: what reads well as
    Windows-1252, by far the most common, is that unless the letters of another encoding make clearly better words.
    """
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    if _reads_western(sample):
        western = from_bytes(sample, cp_isolation=["cp1252"]).best()
        if best is None or (western and western.coherence >= best.coherence - 0.1):
            return "cp1252"
    return best.encoding if best else None


def _reads_western(sample: bytes) -> bool:
    """Whether all beyond ASCII is single letters in words, or signs that do not stand inside a word."""
    text = _try(sample, "cp1252")
    return text is not None and not _NOT_WESTERN.search(text)


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError, ValueError):
        return None
