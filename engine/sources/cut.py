"""Sections to documents: what is encoded alone.

Small neighbours under one heading are put together, a section of a size of its own stays alone, and a long one is cut
at natural boundaries. Every character that is not blank belongs to exactly one document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TypeAlias

from engine.separated import header, separator_of
from engine.sources.long_text import PART_CHARACTERS, LongText
from engine.sources.pieces import PARAGRAPH, SECTION, Counter, Piece, break_down, count_batched, pack
from engine.sources.text import paragraphs
from engine.sources.titles import LONGEST_TITLE, clean_title
from engine.sources.types import DocumentSpan, SourceText

# Tokens under which a document is a crumb and joins a neighbour, whatever its heading.
CRUMB = 60
# Tokens under which a section of prose joins its siblings; code is put together only when it is a crumb.
SMALL_PROSE = 100
# The share of a merged document's tokens that lets one section's title stand for it.
_DOMINANT = 0.75
_BLANK = " \t\r\n\f\v\ufeff"
_TITLED_KINDS = {"html", "pdf", "epub", "docx", "pptx"}

# start, end, boundary level, block
Span: TypeAlias = tuple[int, int, int, int]


@dataclass(slots=True)
class _Draft:
    start: int
    end: int
    title: tuple[str, ...]
    tokens: int
    whole: bool  # whether it is one or more whole sections, not a part of one
    exact: bool  # whether `tokens` was counted over this very slice, not summed


def cut(source: SourceText, name: str, count: Counter, max_tokens: int) -> list[DocumentSpan]:
    """The documents of a source, in order, of at most `max_tokens` tokens, trimmed of outer white space.

    `count` gives the tokens of each string of a list. A document's title is the file's (`name`; the document's own
    title for html, pdf, epub, docx, pptx and .jsonl records), then its headings. Raises ValueError when `max_tokens` is not positive.
    """
    if max_tokens < 1:
        raise ValueError("max_tokens must be at least 1")
    if isinstance(source.text, LongText):
        return [span for start, part in source.text.parts() for span in _shifted(source, start, part, name, count, max_tokens)]
    titles, spans = _blocks(source)
    base = _base_title(source, name)
    return [span for part in _parts(spans) for span in _documents(source, titles, part, base, count, max_tokens)]


def _shifted(source: SourceText, at: int, part: str, name: str, count: Counter, max_tokens: int) -> list[DocumentSpan]:
    """The documents of a part of a long text, which begins at character `at` of it."""
    cut_alone = cut(replace(source, text=part, sections=paragraphs(part)), name, count, max_tokens)
    return [DocumentSpan(at + span.start, at + span.end, span.title) for span in cut_alone]


def _parts(spans: list[Span]) -> Iterator[list[Span]]:
    """The spans in runs of about 250,000 characters: what cutting notes down of one is gone before the next."""
    first = 0
    for i, (_, end, _, _) in enumerate(spans, 1):
        if i == len(spans) or end - spans[first][0] >= PART_CHARACTERS:
            yield spans[first:i]
            first = i


def _documents(
    source: SourceText, titles: list[tuple[str, ...]], spans: list[Span], base: tuple[str, ...], count: Counter, limit: int
) -> list[DocumentSpan]:
    drafts = _drafts(titles, break_down(source.text, spans, source.page_starts, count, limit), limit)
    small = CRUMB if source.kind == "code" else SMALL_PROSE
    drafts = _join_siblings(drafts, min(small, limit // 2), limit)
    drafts = _join_crumbs(drafts, min(CRUMB, limit // 2), limit)
    drafts = _checked(source, drafts, count, limit)
    documents = []
    for draft in drafts:
        body = source.text[draft.start : draft.end]
        start = draft.start + len(body) - len(_left_trimmed(body))
        end = start + len(_right_trimmed(body[start - draft.start :]))
        if end > start:
            documents.append(DocumentSpan(start, end, " > ".join((*base, *draft.title))))
    return documents


def _blocks(source: SourceText) -> tuple[list[tuple[str, ...]], list[Span]]:
    """Titles of blocks, and spans (start, end, level, block) covering the text.

    Neighbouring sections with the same title path form one block; text between sections becomes a block of its own.
    """
    titles: list[tuple[str, ...]] = []
    spans: list[Span] = []

    def add(start: int, end: int, title: tuple[str, ...]) -> None:
        if end <= start or source.text[start:end].isspace():
            return
        level = PARAGRAPH if titles and titles[-1] == title else SECTION
        if level == SECTION:
            titles.append(title)
        spans.append((start, end, level, len(titles) - 1))

    at = 0
    for section in source.sections:
        add(at, section.start, ())
        add(max(at, section.start), section.end, section.title)
        at = max(at, section.end)
    add(at, len(source.text), ())
    return titles, spans


def _drafts(titles: list[tuple[str, ...]], pieces: list[Piece], limit: int) -> list[_Draft]:
    drafts: list[_Draft] = []
    first = 0
    while first < len(pieces):
        block = pieces[first].block
        last = first
        while last < len(pieces) and pieces[last].block == block:
            last += 1
        packed = pack(pieces[first:last], limit, min(CRUMB, limit // 4))
        whole, exact = len(packed) == 1, len(packed) == last - first
        drafts.extend(_Draft(start, end, titles[block], tokens, whole, exact) for start, end, tokens in packed)
        first = last
    return drafts


def _join_siblings(drafts: list[_Draft], small: int, limit: int) -> list[_Draft]:
    """Runs of small sections under one heading, with that heading's own small text, put together while they fit."""
    joined: list[_Draft] = []
    parent: tuple[str, ...] | None = None  # of the run that the last draft is, None when it takes no more
    for draft in drafts:
        takes = draft.whole and draft.tokens < small
        if takes and parent is not None and joined[-1].tokens + draft.tokens <= limit:
            if draft.title == parent or draft.title[:-1] == parent:
                joined[-1] = _together(joined[-1], draft)
                continue
            if draft.title[:-1] == joined[-1].title:
                parent = joined[-1].title
                joined[-1] = _together(joined[-1], draft)
                continue
        joined.append(draft)
        parent = draft.title[:-1] if takes else None
    return joined


def _join_crumbs(drafts: list[_Draft], crumb: int, limit: int) -> list[_Draft]:
    """Documents that are still crumbs join the neighbour that shares most of their title path and has room."""
    joined: list[_Draft] = []
    for i, draft in enumerate(drafts):
        if joined and joined[-1].tokens < crumb and joined[-1].tokens + draft.tokens <= limit:
            joined[-1] = _together(joined[-1], draft)
            continue
        if draft.tokens < crumb and joined and joined[-1].tokens + draft.tokens <= limit:
            following = drafts[i + 1] if i + 1 < len(drafts) else None
            forward = following is not None and following.tokens + draft.tokens <= limit
            if not forward or _shared(draft, joined[-1]) >= _shared(draft, following):  # type: ignore[arg-type]
                joined[-1] = _together(joined[-1], draft)
                continue
        joined.append(draft)
    return joined


def _shared(one: _Draft, other: _Draft) -> int:
    return len(_common(one.title, other.title)) + (one.title == other.title[: len(one.title)])


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return one[:length]


def _together(one: _Draft, other: _Draft) -> _Draft:
    tokens = one.tokens + other.tokens
    large = max(one, other, key=lambda draft: draft.tokens)
    title = large.title if large.tokens >= _DOMINANT * tokens else _common(one.title, other.title)
    return _Draft(one.start, other.end, title, tokens, one.whole and other.whole, False)


def _checked(source: SourceText, drafts: list[_Draft], count: Counter, limit: int) -> list[_Draft]:
    """The drafts counted as they will be encoded. Sums of pieces can fall short: those too long are cut again."""
    summed = (source.text[draft.start : draft.end].strip(_BLANK) for draft in drafts if not draft.exact)
    counts = iter(count_batched(summed, count))
    checked = []
    for draft in drafts:
        tokens = draft.tokens if draft.exact else next(counts)
        checked.extend([draft] if tokens <= limit or draft.exact else _recut(source, draft, tokens, count, limit))
    return checked


def _recut(source: SourceText, draft: _Draft, tokens: int, count: Counter, limit: int) -> list[_Draft]:
    """A draft cut again with a smaller and smaller aim until every part fits; one character is never cut."""
    aim, parts = limit, [draft]
    while tokens > limit and aim > 1:
        aim = max(1, min(aim - 1, aim * limit // tokens))
        pieces = break_down(source.text, [(draft.start, draft.end, SECTION, 0)], source.page_starts, count, aim)
        packed = pack(pieces, aim, 0)
        counts = count_batched((source.text[start:end].strip(_BLANK) for start, end, _ in packed), count)
        parts = [_Draft(start, end, draft.title, n, False, True) for (start, end, _), n in zip(packed, counts)]
        tokens = max(counts)
    return parts


def _left_trimmed(text: str) -> str:
    while (trimmed := text.lstrip().lstrip("\ufeff")) != text:
        text = trimmed
    return text


def _right_trimmed(text: str) -> str:
    return text.rstrip()


def _base_title(source: SourceText, name: str) -> tuple[str, ...]:
    if source.record is not None:
        return (source.title,)
    if source.kind in _TITLED_KINDS and source.title != PurePosixPath(name).name:
        return (source.title,)
    if source.kind == "csv":
        return (name, *_columns(source))
    return (name,)


def _columns(source: SourceText) -> tuple[str, ...]:
    """The names of a table's columns as a heading: its rows alone do not say what they are about."""
    line = source.text[:LONGEST_TITLE].lstrip("\ufeff").partition("\n")[0]
    names = header(line, separator_of(line))
    return (clean_title(", ".join(names)),) if names else ()
