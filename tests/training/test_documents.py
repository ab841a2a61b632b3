"""The documents that the questions of training/questions are about."""

import json
import lzma
import tarfile
from pathlib import Path

from training.calibrate import CORPORA, QUESTIONS
from training.documents import SDISTS, TEXTS, unpack, write_texts


def test_parts_of_an_archive_go_where_they_are_asked_about(tmp_path: Path):
    root = tmp_path / "lamp-1.0"
    for name in ("docs/a.rst", "src/lamp.py", "lamp.egg-info/x", "setup.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    archive = tmp_path / "lamp-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(root, "lamp-1.0")
    unpack(archive, tmp_path / "some", ("docs",))
    unpack(archive, tmp_path / "all", ())
    assert {p.name for p in (tmp_path / "some").rglob("*")} == {"docs", "a.rst"}
    assert {p.name for p in (tmp_path / "all").iterdir()} == {"docs", "src", "setup.py"}


def test_texts_are_the_same_each_time(tmp_path: Path):
    file = tmp_path / "t.jsonl.xz"
    with lzma.open(file, "wt") as out:
        out.writelines(json.dumps({"title": f"Part {n}: lamps", "text": "oil " * n}) + "\n" for n in range(9))
    for to in ("one", "two"):
        write_texts(file, tmp_path / to, 3, 12)
    one, two = ({p.name: p.read_text() for p in (tmp_path / to).iterdir()} for to in ("one", "two"))
    assert one == two and len(one) == 3
    assert all(name.startswith("part-") and text.startswith("Part ") for name, text in one.items())


def test_every_question_names_a_folder_and_says_what_is_right():
    known = {place.split("/")[0] for _, place, _ in SDISTS} | set(TEXTS) | {folder.name for folder in CORPORA.iterdir()}
    for file in QUESTIONS.glob("*.jsonl"):
        assert file.stem in known
        questions = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        assert len({q["id"] for q in questions}) == len(questions) == 40
        assert all(bool(q["answers"]) == bool(q["sources"]) == q["answerable"] for q in questions)
