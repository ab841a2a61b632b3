from __future__ import annotations

import zipfile

import pytest

from engine.errors import SourceError
from engine.sources import read_source
from engine.sources.page_layout import Block, page_text, reading_order
from engine.sources.pdf import page_of

pymupdf = pytest.importorskip("pymupdf")


def save(path, build, pages=1, toc=None, metadata=None, **options):
    with pymupdf.open() as document:
        for number in range(pages):
            build(document.new_page(width=600, height=800), number)
        if toc:
            document.set_toc(toc)
        document.set_metadata(metadata or {})
        document.save(path, **options)
    return path


def one(path):
    (source,) = read_source(path).sources
    return source


def test_two_columns_between_full_width_blocks(tmp_path):
    def build(page, _):
        page.insert_textbox((50, 100, 550, 130), "A wide title that spans both of the columns of this page from side to side.")
        for column, x in (("left", 50), ("right", 320)):
            for i in range(3):
                words = f"{column} paragraph {i} " + "filled with some more words " * 4
                page.insert_textbox((x, 160 + 90 * i, x + 230, 240 + 90 * i), words)
        page.insert_textbox((50, 460, 550, 490), "A wide closing line that spans both of the columns of this page as well.")

    text = one(save(tmp_path / "a.pdf", build)).text
    places = [text.index(mark) for mark in (
        "wide title", "left paragraph 0", "left paragraph 1", "left paragraph 2",
        "right paragraph 0", "right paragraph 1", "right paragraph 2", "wide closing",
    )]  # fmt: skip
    assert places == sorted(places)


def box(x0, y0, x1, y1, text="a\nb"):
    return Block(x0, y0, x1, y1, text)


def test_reading_order_of_three_columns_and_bands():
    page = [box(50, 10, 550, 20, "title")]
    for i, x in enumerate((50, 220, 390)):
        page += [box(x, 30 + i, x + 150, 90, f"c{i}a\n."), box(x, 100 - i, x + 150, 150, f"c{i}b\n.")]
    page += [box(50, 160, 550, 170, "band"), box(300, 180, 540, 250, "d1\n."), box(50, 181, 280, 250, "d0\n.")]
    assert [b.text.split("\n")[0] for b in reading_order(page[::-1])] == [
        "title", "c0a", "c0b", "c1a", "c1b", "c2a", "c2b", "band", "d0", "d1",
    ]  # fmt: skip


def test_a_form_is_read_in_rows():
    page = [b for i in range(4) for b in (box(50, 20 * i, 120, 20 * i + 10, f"k{i}"), box(300, 20 * i + 1, 400, 20 * i + 11, f"v{i}"))]
    assert [b.text for b in reading_order(page)] == ["k0", "v0", "k1", "v1", "k2", "v2", "k3", "v3"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [("informa-\ntion here", "information here"), ("well-\nKnown", "well-Known"), ("COVID-\n19", "COVID-19"),
     ("one\ntwo", "one two"), ("soft\u00ad\nhyphen", "softhyphen"), ("a dash -\nthen", "a dash - then"),
     ("Shop:\n• milk\n• bread\nand butter", "Shop:\n• milk\n• bread and butter")],
)  # fmt: skip
def test_lines_of_a_paragraph(lines, expected):
    assert page_text([box(0, 0, 1, 1, lines)]) == expected


def test_cells_of_a_row_are_told_apart(tmp_path):
    def build(page, _):
        for row, cells in enumerate((("Part", "Name", "Replace"), ("SK-1", "Hatch ring", "30 months"), ("SK-2", "Swivel", "soon"))):
            for x, cell in zip((60, 160, 330), cells, strict=True):
                page.insert_text((x, 100 + 14 * row), cell, fontsize=10)
        page.insert_textbox((60, 200, 500, 400), "A paragraph of " + "many stretched words that " * 12 + "end.", align=3, fontsize=10)
        page.insert_text((60, 450), "Contents . . . . . . . .", fontsize=10)
        page.insert_text((300, 450), "7", fontsize=10)

    text = one(save(tmp_path / "a.pdf", build)).text
    assert [line for line in text.split("\n") if "|" in line] == ["Part | Name | Replace", "SK-1 | Hatch ring | 30 months", "SK-2 | Swivel | soon"]


def test_a_paragraph_goes_on_in_the_next_column():
    assert page_text([box(0, 0, 1, 1, "the informa-"), box(2, 0, 3, 1, "tion goes on."), box(2, 2, 3, 3, "new one")]) == (
        "the information goes on.\n\nnew one"
    )


def test_running_heads_and_page_numbers_go(tmp_path):
    def build(page, number):
        page.insert_text((50, 40), f"Annual Report {2020 + number}")
        page.insert_text((50, 300), f"Body of page {number} stays.")
        page.insert_text((290, 780), str(number + 1))

    text = one(save(tmp_path / "a.pdf", build, pages=5)).text
    assert "Annual" not in text and text.count("stays.") == 5 and "\n5" not in text
    assert "Annual" in one(save(tmp_path / "b.pdf", build, pages=3)).text


def test_pages_and_sections_without_an_outline(tmp_path):
    def build(page, number):
        if number != 1:
            page.insert_text((50, 300), f"words of page {number + 1}")

    source = one(save(tmp_path / "a.pdf", build, pages=3))
    assert source.kind == "pdf" and source.title == "a.pdf"
    assert [s.title for s in source.sections] == [("page 1",), ("page 3",)]
    assert page_of(source.page_starts, source.text.index("page 1")) == 1
    assert page_of(source.page_starts, source.text.index("page 3")) == 3


def test_outline_gives_sections_at_their_headings(tmp_path):
    def build(page, number):
        page.insert_text((50, 200), f"{number + 1}. Chapter {number}", fontsize=18)
        page.insert_text((50, 300), f"chapter text {number}")
        page.insert_text((50, 400), f"Part of {number}", fontsize=14)
        page.insert_text((50, 500), f"part text {number}")

    toc = [[1, "Chapter 0", 1], [2, "Part of 0", 1], [1, "Chapter 1", 2], [2, "Part of 1", 2]]
    source = one(save(tmp_path / "a.pdf", build, pages=2, toc=toc, metadata={"title": "The Book"}))
    assert source.title == "The Book"
    parts = {s.title: source.text[s.start : s.end] for s in source.sections}
    assert parts["Chapter 0", "Part of 0"].strip() == "Part of 0\n\npart text 0"
    assert parts["Chapter 1",].startswith("2. Chapter 1")


def test_useless_titles_are_not_used(tmp_path):
    build = lambda page, _: page.insert_text((50, 100), "words")  # noqa: E731
    for junk in ("untitled", "Microsoft Word - a.docx", " "):
        assert one(save(tmp_path / "a.pdf", build, metadata={"title": junk})).title == "a.pdf"


def test_encrypted(tmp_path):
    build = lambda page, _: page.insert_text((50, 100), "secret")  # noqa: E731
    path = save(tmp_path / "a.pdf", build, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="x", owner_pw="y")
    with pytest.raises(SourceError, match="a.pdf: encrypted PDF: a password is needed"):
        read_source(path)
    path = save(tmp_path / "b.pdf", build, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="", owner_pw="y")
    assert "secret" in one(path).text


def test_scan(tmp_path):
    pixmap = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 20, 20))
    pixmap.clear_with(90)
    path = save(tmp_path / "a.pdf", lambda page, _: page.insert_image((0, 0, 200, 200), pixmap=pixmap), pages=3)
    with pytest.raises(SourceError, match=r"scanned PDF: 3 pages without text \(OCR it first\)"):
        read_source(path)


@pytest.mark.parametrize("data", [b"not a pdf at all", b"%PDF-1.4\n%broken", b"\0\1\2"])
@pytest.mark.parametrize("name", ["a.pdf", "a.epub"])
def test_broken(tmp_path, name, data, capfd):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=f"broken {name[2:].upper()}: ") as caught:
        read_source(tmp_path / name)
    assert "\n" not in str(caught.value) and capfd.readouterr() == ("", "")


def test_truncated_pdf_is_read_or_refused_quietly(tmp_path, capfd):
    path = save(tmp_path / "a.pdf", lambda page, n: page.insert_text((50, 100), f"words {n}"), pages=3)
    data = path.read_bytes()
    for part in (len(data) // 2, len(data) - 200, 60):
        path.write_bytes(data[:part])
        try:
            read_source(path)
        except SourceError as error:
            assert "PDF" in str(error)
    assert capfd.readouterr() == ("", "")


def test_empty_pdf(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"")
    result = read_source(tmp_path / "a.pdf")
    assert result.sources == [] and result.errors[0].reason == "empty"


def test_epub(tmp_path):
    chapters = {f"c{i}.xhtml": f"<html xmlns='http://www.w3.org/1999/xhtml'><head><title>t</title></head><body><h1>Chapter {i}</h1>"
                f"<p>{f'sentence {i} of many words. ' * 400}</p></body></html>" for i in (1, 2)}  # fmt: skip
    items = "".join(f"<item id='i{n}' href='{name}' media-type='application/xhtml+xml'/>" for n, name in enumerate(chapters))
    spine = "".join(f"<itemref idref='i{n}'/>" for n in range(len(chapters)))
    with zipfile.ZipFile(tmp_path / "a.epub", "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr("META-INF/container.xml", "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles>"
                      "<rootfile full-path='c.opf' media-type='application/oebps-package+xml'/></rootfiles></container>")  # fmt: skip
        book.writestr("c.opf", "<package xmlns='http://www.idpf.org/2007/opf'><metadata xmlns:dc='http://purl.org/dc/elements/1.1/'>"
                      f"<dc:title>My Book</dc:title></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>")  # fmt: skip
        for name, body in chapters.items():
            book.writestr(name, body)
    source = one(tmp_path / "a.epub")
    assert source.kind == "epub" and source.title == "My Book"
    assert [s.title for s in source.sections] == [("Chapter 1",), ("Chapter 2",)]
    assert len(source.page_starts) == 2 and source.text.count("sentence 2") == 400
