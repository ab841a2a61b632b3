"""Encode a memory again with another model, from the text it holds; the old states stay until the new ones are whole.

The new segments lie beside the old ones and the catalog does not name them; one transaction puts them in the old ones'
place. Whatever stops a rebuild before that, a kill or a full disk, leaves the memory as it was, and the next writer
removes what it left. Sources keep their rows: identity, name, order, text, pages and lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.encoding import Encoding, Progress
from engine.results import IngestReport
from engine.sources import Section, SourceText, sections_of
from engine.sources.text import page_sections
from engine.store.stamp import Stamp

if TYPE_CHECKING:
    from engine.model.interface import MemoryModel
    from engine.store import SourceRow, Store

_PAGE = re.compile(r"page \d+")


def rebuild(store: Store, model: MemoryModel, progress: Progress | None, wait: float) -> IngestReport:
    """Raises StoreLockedError when another process writes."""
    stamp = Stamp(model.name, model.fingerprint, model.config.state_shape)
    with store.writer(wait) as writer:
        rows = sorted(store.sources(), key=lambda row: row.id)
        with writer.reencoding(stamp) as new:
            encoding: Encoding[int] = Encoding(model, new.add, progress)
            with encoding:
                encoding.expect(len(rows), sum(row.n_chars for row in rows))
                for row in rows:
                    encoding.begin(row.display)
                    with encoding.timed("read"):
                        source = _source(store, row)
                    encoding.add(row.id, source.text, encoding.cut(source, row.name))
                    encoding.done(row.n_chars)
                encoding.flush()
                encoding.settle()
        with encoding.timed("store"):
            writer.compact()
    encoding.report.changed = len(rows)
    return encoding.finish()


def _source(store: Store, row: SourceRow) -> SourceText:
    text = store.text(row.id)
    return SourceText(text, row.kind, row.title, _sections(store, row, text), row.record, row.line, row.page_starts)


def _sections(store: Store, row: SourceRow, text: str) -> list[Section]:
    """As the reader found them, where the text still shows them.

    An outline or the headings of a page's markup do not stand in the text; documents carry them in their titles.
    """
    if row.kind not in ("html", "pdf", "epub", "docx", "pptx", "notebook"):
        return sections_of(text, row.kind, row.name)
    held = [Section(d.start, d.end, _below_file(row, d.title)) for d in store.source_documents(row.id)]
    if row.page_starts and all(not s.title or _PAGE.fullmatch(s.title[-1]) for s in held):
        return page_sections(text, row.page_starts)
    return held


def _below_file(row: SourceRow, title: str) -> tuple[str, ...]:
    """A document's title path below the source's own title, with which it begins."""
    for own in (row.title, row.name):
        if title.startswith(f"{own} > "):
            return tuple(title.removeprefix(f"{own} > ").split(" > "))
    return ()
