"""Typeset manual_source.md as manual.pdf.

Run from anywhere; the output lies beside this file and is the same, byte for
byte, on every run with the same version of PyMuPDF.
"""

from __future__ import annotations

import re
from pathlib import Path

import pymupdf

HERE = Path(__file__).parent
TITLE = "Fulmar 3"
SUBTITLE = "Moored Wave and Weather Buoy"
KIND = "Installation, Operation and Maintenance Manual"
DOCUMENT = "SKV-M-310"
REVISION = "Revision F"
DATE = "November 2024"

WIDTH, HEIGHT = 499.0, 709.0  # B5
LEFT, RIGHT, TOP, BOTTOM = 44.0, 44.0, 66.0, 58.0
GUTTER = 17.0
COLUMN = (WIDTH - LEFT - RIGHT - GUTTER) / 2
BODY, BOLD, ITALIC, HEAD, SANS = "tiro", "tibo", "tiit", "hebo", "helv"
SIZE, LEADING = 9.6, 12.3
FRONT_PAGES = 2
VOWELS = set("aeiouy")
PAIRS = {"ch", "sh", "th", "ph", "ck", "gh", "qu", "st", "tr", "pr", "pl", "cl", "gr"}


def width(text: str, font: str, size: float) -> float:
    return pymupdf.get_text_length(text, fontname=font, fontsize=size)


def hyphen_points(word: str) -> list[int]:
    """Places where a plain lower-case word of some length may be divided."""
    core = word.rstrip(".,;:)")
    if len(core) < 8 or not core.isalpha() or not core.islower():
        return []
    points = []
    for i in range(3, len(core) - 3):
        if core.endswith("ed") and i > len(core) - 6:
            break
        a, b = core[i - 1], core[i]
        after = core[i + 1]
        if b in VOWELS or after not in VOWELS:
            continue
        if a in VOWELS or (a + b not in PAIRS and core[i - 2] in VOWELS):
            points.append(i)
    return points


def break_lines(text: str, font: str, size: float, room: float) -> list[str]:
    """Greedy line breaking; divides a word when much room would stay empty."""
    lines, line = [], ""
    queue = text.split()
    while queue:
        word = queue.pop(0).replace("~", "\u00a0")
        trial = f"{line} {word}" if line else word
        if width(trial, font, size) <= room:
            line = trial
            continue
        if line and room - width(line, font, size) > 0.11 * room:
            for point in reversed(hyphen_points(word)):
                part = f"{line} {word[:point]}-"
                if width(part, font, size) <= room:
                    lines.append(part)
                    line, word = "", word[point:]
                    break
        if line:
            lines.append(line)
        line = word
    if line:
        lines.append(line)
    return [item.replace("\u00a0", " ") for item in lines]


class Manual:
    """Collects lines of a segment and flows them into two balanced columns."""

    def __init__(self) -> None:
        self.doc = pymupdf.open()
        self.page: pymupdf.Page | None = None
        self.y = TOP
        self.chapter = ""
        self.number = 0
        self.section = 0
        self.segment: list[tuple] = []  # (height, keep_with_next, x, text, font, size)
        self.toc: list[list] = []

    # pages and furniture

    def new_page(self) -> None:
        self.page = self.doc.new_page(width=WIDTH, height=HEIGHT)
        number = self.doc.page_count + FRONT_PAGES
        grey = (0.35, 0.35, 0.35)
        left, right = f"{TITLE} Manual", f"{self.number}  {self.chapter}"
        if number % 2 == 0:
            left, right = right, left
        self.page.insert_text((LEFT, 40), left, fontname=SANS, fontsize=8, color=grey)
        x = WIDTH - RIGHT - width(right, SANS, 8)
        self.page.insert_text((x, 40), right, fontname=SANS, fontsize=8, color=grey)
        self.page.draw_line((LEFT, 46), (WIDTH - RIGHT, 46), color=grey, width=0.5)
        y = HEIGHT - 30
        foot = f"{DOCUMENT}  {REVISION}  {DATE}"
        self.page.insert_text((LEFT, y), foot, fontname=SANS, fontsize=8, color=grey)
        x = WIDTH - RIGHT - width(str(number), SANS, 8)
        self.page.insert_text((x, y), str(number), fontname=SANS, fontsize=8, color=grey)
        self.y = TOP

    @property
    def limit(self) -> float:
        return HEIGHT - BOTTOM

    def put(self, x: float, y: float, text: str, font: str, size: float) -> None:
        self.page.insert_text((x, y), text, fontname=font, fontsize=size)

    # flowing text

    def add(self, text: str, font=BODY, size=SIZE, indent=0.0, before=0.0, after=5.0, keep=False):
        lines = break_lines(text, font, size, COLUMN - indent)
        for i, line in enumerate(lines):
            height = LEADING * max(1.0, size / SIZE)
            self.segment.append((before if i == 0 else 0.0, height, keep or i == 0 < len(lines) - 1,
                                 indent, line, font, size, after if i == len(lines) - 1 else 0.0))

    def fill(self, items: list[tuple], height: float) -> int:
        """How many items fit into a column of this height."""
        used, count = 0.0, 0
        for i, (before, line, *_rest) in enumerate(items):
            used += (before if i else 0.0) + line
            if used > height:
                break
            count = i + 1
            used += items[i][7]
        if count < len(items):
            while count > 1 and items[count - 1][2]:
                count -= 1
        return count

    def draw_column(self, items: list[tuple], x: float) -> float:
        y = self.y
        for i, (before, line, _keep, indent, text, font, size, after) in enumerate(items):
            y += (before if i else 0.0) + line
            if text.startswith("\u00b7 "):
                self.put(x + indent - 9, y - 3, "\u00b7", BOLD, size)
                text = text[2:]
            self.put(x + indent, y - 3, text, font, size)
            y += after
        return y

    def flush(self) -> None:
        items, self.segment = self.segment, []
        while items:
            room = self.limit - self.y
            if room < 4 * LEADING:
                self.new_page()
                continue
            first = self.fill(items, room)
            second = self.fill(items[first:], room)
            if first + second >= len(items):
                height = 2 * LEADING
                while True:
                    first = self.fill(items, height)
                    if first + self.fill(items[first:], height) >= len(items) or height > room:
                        break
                    height += 2
                second = len(items) - first
            end = self.draw_column(items[:first], LEFT)
            if second:
                end = max(end, self.draw_column(items[first:first + second], LEFT + COLUMN + GUTTER))
            self.y = end + 4
            items = items[first + second:]
            if items:
                self.new_page()

    # blocks

    def start_chapter(self, title: str) -> None:
        self.flush()
        self.number += 1
        self.section = 0
        self.chapter = title
        if self.page is None or self.limit - self.y < 0.52 * (self.limit - TOP):
            self.new_page()
        elif self.y > TOP:
            self.y += 14
        self.put(LEFT, self.y + 14, f"{self.number}  {title}", HEAD, 17)
        self.page.draw_line((LEFT, self.y + 22), (WIDTH - RIGHT, self.y + 22), width=1.1)
        self.y += 34
        self.toc.append([1, f"{self.number} {title}", self.doc.page_count + FRONT_PAGES])

    def start_section(self, title: str) -> None:
        self.section += 1
        text = f"{self.number}.{self.section}  {title}"
        self.add(text, HEAD, 10.4, before=6.0, after=3.0, keep=True)
        self.segment.append((0.0, 0.0, True, 0.0, "", BODY, 1.0, 0.0))
        self.toc.append([2, text.replace("  ", " "), -len(self.toc)])

    def table(self, shares: list[float], rows: list[list[str]], caption: str) -> None:
        self.flush()
        total = WIDTH - LEFT - RIGHT
        widths = [total * share / sum(shares) for share in shares]
        size, leading = 8.6, 10.6

        def cells(row: list[str], font: str) -> list[list[str]]:
            return [break_lines(t, font, size, w - 8) for t, w in zip(row, widths)]

        def draw(row: list[str], font: str, shade: bool) -> None:
            parts = cells(row, font)
            height = max(map(len, parts)) * leading + 5
            if shade:
                box = pymupdf.Rect(LEFT, self.y, WIDTH - RIGHT, self.y + height)
                self.page.draw_rect(box, color=None, fill=(0.88, 0.9, 0.93))
            x = LEFT
            for part, w in zip(parts, widths):
                for i, line in enumerate(part):
                    self.put(x + 4, self.y + leading * (i + 1) - 0.5, line, font, size)
                x += w
            self.y += height
            self.page.draw_line((LEFT, self.y), (WIDTH - RIGHT, self.y), width=0.4)

        if self.y + 5 * leading > self.limit:
            self.new_page()
        draw(rows[0], HEAD, True)
        for row in rows[1:]:
            height = max(map(len, cells(row, SANS))) * leading + 5
            if self.y + height > self.limit:
                self.new_page()
                draw(rows[0], HEAD, True)
            draw(row, SANS, False)
        for line in break_lines(caption, ITALIC, 9, total):
            self.put(LEFT, self.y + 12, line, ITALIC, 9)
            self.y += 11
        self.y += 12

    def figure(self, name: str) -> None:
        self.flush()
        height = 168.0
        if self.y + height > self.limit:
            self.new_page()
        shape = self.page.new_shape()
        x, y = WIDTH / 2, self.y + 10
        if name == "buoy":
            shape.draw_rect(pymupdf.Rect(x - 32, y + 88, x + 32, y + 132))
            shape.draw_rect(pymupdf.Rect(x - 62, y + 90, x + 62, y + 114))
            shape.draw_polyline([(x - 14, y + 88), (x, y + 14), (x + 14, y + 88)])
            shape.draw_circle((x, y + 9), 5)
            shape.draw_rect(pymupdf.Rect(x - 20, y + 52, x + 20, y + 78))
            shape.draw_line((x - 150, y + 108), (x + 150, y + 108))
            labels = [(9, "lantern"), (30, "wind sensor"), (64, "solar panels"),
                      (100, "foam collar"), (124, "drum"), (140, "CT probe in cage")]
            caption = "Figure 1. Parts of the buoy, seen from the side."
        else:
            shape.draw_line((x - 150, y + 14), (x + 150, y + 14))
            shape.draw_rect(pymupdf.Rect(x - 14, y + 5, x + 14, y + 18))
            shape.draw_polyline([(x, y + 18), (x + 6, y + 50), (x - 4, y + 84), (x - 34, y + 118), (x - 70, y + 136)])
            shape.draw_circle((x - 20, y + 102), 5)
            shape.draw_rect(pymupdf.Rect(x - 84, y + 130, x - 66, y + 142))
            shape.draw_line((x - 150, y + 142), (x + 150, y + 142))
            labels = [(24, "bridle, swivel and chain"), (50, "rubber cord"), (84, "rope"),
                      (104, "subsurface float"), (138, "ground chain and sinker")]
            caption = "Figure 2. Standard mooring, not to scale."
        shape.finish(width=0.8)
        shape.commit()
        for dy, label in labels:
            self.put(x + 82, y + dy, label, SANS, 7.5)
        self.put(LEFT, y + 156, caption, ITALIC, 9)
        self.y += height + 6

    # front matter

    def front(self) -> None:
        page = self.doc.new_page(pno=0, width=WIDTH, height=HEIGHT)
        page.draw_rect(pymupdf.Rect(0, 0, WIDTH, 16), color=None, fill=(0.93, 0.7, 0.1))
        for y, text, font, size in (
            (190, TITLE, HEAD, 44), (222, SUBTITLE, SANS, 18), (262, KIND, SANS, 13),
            (520, f"Document {DOCUMENT}", SANS, 11), (536, f"{REVISION}, {DATE}", SANS, 11),
            (552, "Serial numbers from 3001", SANS, 11),
            (620, "Skerrivane Instruments Ltd", HEAD, 11),
            (635, "The Ice Factory, East Quay, Kilbrannoch", SANS, 10),
        ):
            page.insert_text((LEFT + 10, y), text, fontname=font, fontsize=size)
        page = self.doc.new_page(pno=1, width=WIDTH, height=HEIGHT)
        page.insert_text((LEFT, 80), "Contents", fontname=HEAD, fontsize=17)
        chapters = [item for item in self.toc if item[0] == 1]
        y = 116.0
        for _, title, number in chapters:
            number_x = WIDTH - RIGHT - width(str(number), BODY, 11)
            page.insert_text((LEFT, y), title, fontname=BODY, fontsize=11)
            start = LEFT + width(title, BODY, 11) + 6
            dots = "." * int((number_x - 6 - start) / width(".", BODY, 11) / 2)
            page.insert_text((start, y), " ".join(dots)[: len(dots)], fontname=BODY, fontsize=11)
            page.insert_text((number_x, y), str(number), fontname=BODY, fontsize=11)
            y += 21
        y += 22
        note = ("The numbers of chapters are the same in all revisions since C. Sections are listed "
                "in the outline of the electronic edition. Translations exist in Norwegian and French; "
                "in case of doubt the English text is the binding one.")
        for line in break_lines(note, ITALIC, 10, WIDTH - LEFT - RIGHT):
            page.insert_text((LEFT, y), line, fontname=ITALIC, fontsize=10)
            y += 13

    def finish(self, path: Path) -> None:
        self.flush()
        self.front()
        for entry in self.toc:  # a section begins on the page which shows its heading
            if entry[0] == 1:
                page_of_chapter = entry[2]
                continue
            for number in range(page_of_chapter, self.doc.page_count + 1):
                if entry[1] in " ".join(self.doc[number - 1].get_text().split()):
                    entry[2] = number
                    break
            else:
                entry[2] = page_of_chapter
        self.doc.set_toc([[1, "Contents", 2], *self.toc])
        self.doc.set_metadata({
            "title": f"{TITLE} {KIND}", "author": "Skerrivane Instruments Ltd",
            "subject": f"{DOCUMENT} {REVISION}", "creator": "make_manual.py",
            "producer": "PyMuPDF", "creationDate": "D:20241118090000Z",
            "modDate": "D:20241118090000Z", "keywords": "",
        })
        self.doc.save(path, garbage=3, deflate=True, no_new_id=True)


def build(source: str, path: Path) -> None:
    manual = Manual()
    blocks = re.split(r"\n\s*\n", source.strip())
    index = 0
    while index < len(blocks):
        block = " ".join(blocks[index].split("\n")) if not blocks[index].startswith("@table") else blocks[index]
        index += 1
        if block.startswith("## "):
            manual.start_section(block[3:])
        elif block.startswith("# "):
            manual.start_chapter(block[2:])
        elif block.startswith("@table"):
            first, *rows = block.split("\n")
            shares = [float(item) for item in first.split()[1:]]
            table = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
            caption = blocks[index]
            index += 1
            manual.table(shares, table, caption)
        elif block.startswith("@figure"):
            manual.figure(block.split()[1])
        elif block.startswith("> "):
            manual.add(block[2:], BOLD, indent=10.0, before=2.0, after=7.0)
        elif block.startswith("- "):
            manual.add("\u00b7~" + block[2:], indent=10.0, after=2.0)
        else:
            manual.add(block.replace("**", ""))
    manual.finish(path)


if __name__ == "__main__":
    build((HERE / "manual_source.md").read_text(encoding="utf-8"), HERE / "manual.pdf")
