"""The documents that the questions of training/questions are about, a folder a file of questions.

    pip download --no-deps --no-binary :all: celery==5.4.0 jinja2==3.1.4 scrapy==2.11.2 requests==2.32.3 httpx==0.27.2 -d SDISTS
    python -m training.documents TEXT_FOLDER SDISTS OUT

Two frameworks, a template engine and two HTTP clients from their source distributions; textbook chapters, books and articles of an office drawn from the
training texts, a file each. The questions were written by helpers that had the files and did not know the program; the
loop's weights are chosen on them as on validation questions, so they measure nothing.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import tarfile
import tempfile
from pathlib import Path

from benchmarks.sets import read_lines

SDISTS = (
    ("celery-5.4.0", "celery", ("docs", "celery", "README.rst", "Changelog.rst")),
    ("jinja2-3.1.4", "jinja", ("docs", "src", "tests", "README.md")),
    ("scrapy-2.11.2", "scrapy", ("docs", "scrapy", "README.rst")),
    ("requests-2.32.3", "http/requests", ()),
    ("httpx-0.27.2", "http/httpx", ()),
)
"""Archive, the folder of OUT its parts go to, which of them (none: all)."""
TEXTS = {"textbooks": (60, 1500), "books": (7, 80_000), "gov_digital": (60, 1500)}
"""How many records of a file, of more than so many characters."""
LONGEST = 120_000
SEED = 4


def unpack(archive: Path, to: Path, parts: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        root = next(Path(folder).iterdir())
        to.mkdir(parents=True)
        for part in parts or sorted(p.name for p in root.iterdir() if p.suffix != ".egg-info"):
            (shutil.copytree if (root / part).is_dir() else shutil.copy)(root / part, to / part)


def write_texts(file: Path, to: Path, count: int, longer_than: int) -> None:
    records = [r for r in read_lines(file) if len(r["text"]) > longer_than]
    to.mkdir(parents=True)
    for record in random.Random(SEED).sample(records, min(count, len(records))):
        name = re.sub(r"\W+", "-", record["title"].lower())[:60].strip("-")
        (to / f"{name}.txt").write_text(f"{record['title']}\n\n{record['text'][:LONGEST]}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("text", "sdists", "out"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    for archive, place, parts in SDISTS:
        unpack(args.sdists / f"{archive}.tar.gz", args.out / place, parts)
    for name, (count, longer_than) in TEXTS.items():
        write_texts(args.text / f"{name}.jsonl.xz", args.out / name, count, longer_than)


if __name__ == "__main__":
    main()
