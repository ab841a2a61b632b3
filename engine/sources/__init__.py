"""Files to documents: discovery with ignore rules, one reader per kind, cutting at natural boundaries.

Importing this package is cheap: PyMuPDF, tree-sitter, pathspec and charset-normalizer are imported when first needed.
"""

from engine.sources.cut import cut
from engine.sources.discover import discover
from engine.sources.files import content_hash
from engine.sources.kinds import kind_of, language_of
from engine.sources.read import read_source, sections_of
from engine.sources.types import Discovery, DocumentSpan, Found, ReadResult, Section, SourceText

__all__ = [
    "Discovery",
    "DocumentSpan",
    "Found",
    "ReadResult",
    "Section",
    "SourceText",
    "content_hash",
    "cut",
    "discover",
    "kind_of",
    "language_of",
    "read_source",
    "sections_of",
]
