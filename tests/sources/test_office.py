"""Word and PowerPoint files: paragraphs are lines, headings sections; what cannot be read is named."""

import zipfile
from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.sources import read_source
from engine.sources.discover import discover

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def paragraph(text: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def write_docx(path: Path, body: str) -> None:
    with zipfile.ZipFile(path, "w") as file:
        override = f'<Override PartName="/word/document.xml" ContentType="{MAIN}"/>'
        default = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        file.writestr("[Content_Types].xml", f'<Types xmlns="{TYPES}">{default}{override}</Types>')
        to_document = f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="word/document.xml"/>'
        file.writestr("_rels/.rels", f'<Relationships xmlns="{RELATIONS}">{to_document}</Relationships>')
        file.writestr("word/_rels/document.xml.rels", f'<Relationships xmlns="{RELATIONS}"/>')
        file.writestr("word/document.xml", f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>')


def test_a_word_file_is_its_paragraphs_under_their_headings(tmp_path: Path):
    long = "The visitor berth costs 42 euro a night, and no more than three nights may be booked at once. " * 9
    body = paragraph("Berths", "Heading1") + paragraph(long) + paragraph("Fuel", "Heading1") + paragraph("Diesel on Fridays.")
    write_docx(tmp_path / "rules.docx", body)
    (source,) = read_source(tmp_path / "rules.docx").sources
    assert source.kind == "docx" and source.page_starts is None
    assert source.text.split("\n\n") == ["Berths", long.strip(), "Fuel", "Diesel on Fridays."]
    assert [s.title for s in source.sections] == [("Berths",), ("Fuel",)]
    assert [found.name for found in discover([tmp_path]).found] == ["rules.docx"]


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"PK\x03\x04 and nothing more", "broken DOCX"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "encrypted DOCX: a password is needed"),
        (None, "no text in it"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, data: bytes | None, reason: str):
    path = tmp_path / "a.docx"
    write_docx(path, "<w:p/>") if data is None else path.write_bytes(data)
    with pytest.raises(SourceError, match=reason):
        read_source(path)
