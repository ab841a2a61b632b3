"""PDF, EPUB, Word and PowerPoint to text by PyMuPDF: reading order, whole words, no running heads, a section per outline entry or
page."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import SourceError
from engine.sources.decode import storable
from engine.sources.files import shown
from engine.sources.headings import sections_at
from engine.sources.page_layout import Block, Line, page_text, reading_order, split_block
from engine.sources.text import page_sections, paragraphs
from engine.sources.titles import clean_title
from engine.sources.types import Section, SourceText

# The share of a page's height, at the top and at the bottom, where running heads and page numbers stand.
_MARGIN = 0.12
_FEWEST_PAGES = 4
# Heads of left and right pages differ, so that each stands on half of them.
_REPEATED = 0.4
_LONGEST_HEAD = 150
_EPUB_PAGE = (0, 0, 600, 20_000)
# What an office file with a password is wrapped in.
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
# So wide that no paragraph is broken: a paragraph is a line.
_FLOWING_PAGE = (0, 0, 1_000_000, 20_000)
_NO_TITLE = re.compile(r"(?i)^(?:untitled|title|document\d*|.*\.(?:docx?|tex|dvi|indd|pdf|pptx?|xlsx?|ps))$")


def read_paged(data: bytes, path: Path, kind: str) -> SourceText:
    """The text of a PDF or an EPUB, `page_starts` with it. A page of an EPUB is a chapter.

    Raises SourceError when it is encrypted, broken, or a scan without text.
    """
    label = kind.upper()
    with _opened(data, path, kind) as document:
        if document.needs_pass:
            raise SourceError(shown(path), f"encrypted {label}: a password is needed")
        try:
            pages = list(_chapters(document) if kind == "epub" else _pages(document))
            outline = document.get_toc(simple=True)
            title = _title(document.metadata, path)
        except Exception as error:  # MuPDF raises its own kinds, some of them plain RuntimeError
            raise SourceError(shown(path), f"broken {label}: {_one_line(error)}") from None
    if not pages:
        raise SourceError(shown(path), f"broken {label}: it has no pages")
    if not any(page.strip() for page in pages):
        count = "1 page" if len(pages) == 1 else f"{len(pages)} pages"
        raise SourceError(shown(path), f"scanned {label}: {count} without text (OCR it first)")
    text, starts = _put_together(pages)
    if kind == "epub":
        sections = sections_at(_chapter_headings(pages, starts), len(text))
    else:
        sections = _outline_sections(text, starts, outline) or page_sections(text, starts)
    return SourceText(text, kind, title, sections, page_starts=starts)


def read_flowing(data: bytes, path: Path, kind: str) -> SourceText:
    """The text of a Word or PowerPoint file, which has no pages before it is laid out: a paragraph, an item or a cell a line.

    Raises SourceError when it is encrypted, broken, or has no text.
    """
    label = kind.upper()
    if data.startswith(_OLE):
        raise SourceError(shown(path), f"encrypted {label}: a password is needed")
    with _opened(data, path, kind) as document:
        try:
            document.layout(rect=_FLOWING_PAGE)
            text = "\n\n".join(filter(None, (page_text(_blocks(page)) for page in document)))
            outline = [[level, name, 1] for level, name, _ in document.get_toc(simple=True)]
            title = _title(document.metadata, path)
        except Exception as error:  # as above
            raise SourceError(shown(path), f"broken {label}: {_one_line(error)}") from None
    if not text.strip():
        raise SourceError(shown(path), "no text in it")
    return SourceText(text, kind, title, _outline_sections(text, [0], outline) or paragraphs(text))


def _opened(data: bytes, path: Path, kind: str) -> Any:
    import pymupdf

    # MuPDF would write its own complaints to stderr.
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        return pymupdf.open(stream=data, filetype=kind)
    except Exception as error:
        raise SourceError(shown(path), f"broken {kind.upper()}: {_one_line(error)}") from None


def _pages(document: Any) -> Iterator[str]:
    raw, heights = [], []
    for page in document:
        raw.append(_blocks(page))
        heights.append(page.rect.height)
    heads = _running_heads(raw, heights)
    for blocks, height in zip(raw, heights, strict=True):
        yield page_text(reading_order([b for b in blocks if not (_in_margin(b, height) and _head_key(b) in heads)]))


def _chapters(document: Any) -> Iterator[str]:
    document.layout(rect=_EPUB_PAGE)
    for chapter in range(document.chapter_count):
        parts = [_blocks(document[(chapter, page)]) for page in range(document.chapter_page_count(chapter))]
        yield page_text([block for part in parts for block in part])


def _blocks(page: Any) -> list[Block]:
    import pymupdf

    flags = pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE  # ligatures are taken apart
    blocks: list[Block] = []
    for block in page.get_text("dict", flags=flags)["blocks"]:
        lines = []
        for line in block.get("lines", ()):
            text = storable("".join(span["text"] for span in line["spans"])).replace("\0", "\ufffd")
            if text.strip():
                lines.append(Line(*line["bbox"], text, max(span["size"] for span in line["spans"])))
        blocks.extend(split_block(lines))
    return blocks


def _running_heads(pages: list[list[Block]], heights: list[float]) -> set[str]:
    """Keys of the lines that repeat in the margins of most pages, page numbers among them."""
    if len(pages) < _FEWEST_PAGES:
        return set()
    seen: Counter[str] = Counter()
    for blocks, height in zip(pages, heights, strict=True):
        seen.update({_head_key(block) for block in blocks if _in_margin(block, height)})
    return {key for key, count in seen.items() if key and count >= max(3, _REPEATED * len(pages))}


def _in_margin(block: Block, height: float) -> bool:
    return block.y1 < _MARGIN * height or block.y0 > (1 - _MARGIN) * height


def _head_key(block: Block) -> str:
    """A line without what changes from page to page: numbers, Roman ones too when they stand alone."""
    text = " ".join(block.text.split())
    if len(text) > _LONGEST_HEAD:
        return ""
    return re.sub(r"\d+|^[ivxlcIVXLC]+$", "#", text)


def _put_together(pages: list[str]) -> tuple[str, list[int]]:
    """The pages separated by blank lines, and where each starts."""
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    for page in pages:
        starts.append(length)
        if page:
            parts.append(page)
            length += len(page) + 2
    text = "\n\n".join(parts)
    return text, [min(start, len(text)) for start in starts]


def _outline_sections(text: str, starts: list[int], outline: list[list[Any]]) -> list[Section]:
    """Sections from the table of contents: an entry starts where its title stands on its page, or with the page."""
    headings: list[tuple[int, int, str]] = []
    last = 0
    for level, name, page in outline:
        name = clean_title(storable(name))
        if not 1 <= page <= len(starts) or not name:
            continue
        start = starts[page - 1]
        end = starts[page] if page < len(starts) else len(text)
        begin = max(start, last)
        found = _heading(name).search(text, begin, max(end, begin))
        last = max(found.start() if found else start, last)
        headings.append((last, level, name))
    return sections_at(headings, len(text)) if headings else []


def _heading(name: str) -> re.Pattern[str]:
    """The title at the start of a paragraph, its number before it or not."""
    return re.compile(r"(?im)^(?:[\dA-Z.]{1,8}\s+)?" + r"\s+".join(map(re.escape, name.split())))


def _chapter_headings(pages: list[str], starts: list[int]) -> Iterator[tuple[int, int, str]]:
    """Each chapter of an EPUB, named by its first line when that is short enough to be a heading."""
    for number, (page, start) in enumerate(zip(pages, starts, strict=True), 1):
        if page.strip():
            first = page.split("\n", 1)[0]
            yield start, 1, first if len(first) <= 80 else f"chapter {number}"


def page_of(page_starts: list[int], offset: int) -> int:
    """The 1-based page on which the character at `offset` stands."""
    return max(1, bisect_right(page_starts, offset))


def _title(metadata: dict[str, str] | None, path: Path) -> str:
    title = clean_title(storable((metadata or {}).get("title") or ""))
    title = re.sub(r"^Microsoft (?:Word|PowerPoint) - ", "", title)
    return path.name if len(title) < 3 or _NO_TITLE.match(title) else title


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
