from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.sources import content_hash, discover, kind_of, language_of


def write(root: Path, **files: str | bytes) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def names(*roots: Path, hidden: bool = False) -> list[str]:
    return [found.name for found in discover(roots, hidden=hidden).found]


def reasons(root: Path) -> dict[str, str]:
    return {Path(s.path).name: s.reason for s in discover([root]).skipped}


def test_sorted_names_and_metadata(tmp_path):
    write(tmp_path, **{"b.txt": "b", "a/z.md": "z", "a/y.py": "y"})
    found = discover([tmp_path]).found
    assert [f.name for f in found] == ["a/y.py", "a/z.md", "b.txt"]
    assert found[2].path == tmp_path / "b.txt" and found[2].root == tmp_path
    assert found[2].size == 1 and found[2].mtime_ns == (tmp_path / "b.txt").stat().st_mtime_ns


def test_hidden_files_only_when_asked_and_never_git_or_msa(tmp_path):
    write(tmp_path, **{".secret": "x", ".d/a.txt": "x", ".git/config": "x", ".msa/catalog": "x", "a.txt": "x"})
    assert names(tmp_path) == ["a.txt"]
    assert names(tmp_path, hidden=True) == [".d/a.txt", ".secret", "a.txt"]


def test_nested_ignore_files(tmp_path):
    write(
        tmp_path,
        **{
            ".gitignore": "*.log\nbuild/\n/only_top.txt\n",
            "a.log": "x",
            "only_top.txt": "x",
            "build/a.txt": "x",
            "sub/only_top.txt": "x",
            "sub/.gitignore": "!keep.log\n",
            "sub/keep.log": "x",
            "sub/other.log": "x",
            "sub/deep/.msaignore": "*.md\n!keep.md\n",
            "sub/deep/a.md": "x",
            "sub/deep/keep.md": "x",
        },
    )
    assert names(tmp_path) == ["sub/deep/keep.md", "sub/keep.log", "sub/only_top.txt"]


def test_msaignore_goes_before_gitignore(tmp_path):
    write(tmp_path, **{".gitignore": "*.txt\n", ".msaignore": "!notes.txt\n", "notes.txt": "x", "other.txt": "x"})
    assert names(tmp_path) == ["notes.txt"]


def test_allow_list_ignore_file(tmp_path):
    write(tmp_path, **{".gitignore": "*\n!*/\n!*.py\n", "a.txt": "x", "src/a.py": "x", "src/a.txt": "x"})
    assert names(tmp_path) == ["src/a.py"]


def test_unreadable_pattern_spoils_nothing(tmp_path):
    write(tmp_path, **{".gitignore": "!\n*.log\n", "a.log": "x", "a.txt": "x"})
    assert names(tmp_path) == ["a.txt"]


def test_rules_of_folders_above_up_to_the_repository(tmp_path):
    write(
        tmp_path,
        **{".gitignore": "*.md\n", "repo/.git/HEAD": "x", "repo/.gitignore": "*.log\n/pkg/gen/\n",
           "repo/pkg/a.log": "x", "repo/pkg/a.md": "x", "repo/pkg/gen/a.txt": "x"},
    )  # fmt: skip
    assert names(tmp_path / "repo" / "pkg") == ["a.md"]


def test_a_root_named_on_purpose_is_taken_though_ignored(tmp_path):
    write(tmp_path, **{".git/HEAD": "x", ".gitignore": "build/\n.env\n", "build/a.txt": "x", ".env": "x"})
    assert names(tmp_path / "build") == ["a.txt"]
    assert names(tmp_path / ".env") == [".env"]


def test_binary_and_other_files_are_skipped_with_a_reason(tmp_path):
    write(tmp_path, **{"a.bin2": b"ab\0cd", "p.png": b"x", "u16.txt": "hé".encode("utf-16"), "late.txt": b"a" * 9000 + b"\0"})
    assert names(tmp_path) == ["late.txt", "u16.txt"]
    assert reasons(tmp_path) == {"a.bin2": "not text (binary)", "p.png": "not text (image)"}
    assert discover([tmp_path / "a.bin2"]).skipped[0].reason == "not text (binary)"


def test_links_are_never_followed(tmp_path):
    write(tmp_path, **{"out/secret.txt": "x", "root/a.txt": "x", "root/d/b.txt": "x"})
    root = tmp_path / "root"
    (root / "escape.txt").symlink_to(tmp_path / "out" / "secret.txt")
    (root / "escape_dir").symlink_to(tmp_path / "out")
    (root / "same.txt").symlink_to(root / "a.txt")
    (root / "d" / "loop").symlink_to(root)
    (root / "gone.txt").symlink_to(root / "nothing")
    assert names(root) == ["a.txt", "d/b.txt"]
    told = reasons(root)
    assert told["escape.txt"] == told["escape_dir"] == "symbolic link that leaves the folder"
    assert told["same.txt"] == told["loop"] == "symbolic link to what is already inside the folder"
    assert told["gone.txt"] == "broken symbolic link"


def test_a_root_that_is_a_link_is_walked(tmp_path):
    write(tmp_path, **{"real/a.txt": "x"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert [str(f.path) for f in discover([tmp_path / "link"]).found] == [str(tmp_path / "link" / "a.txt")]


def test_missing_root(tmp_path):
    with pytest.raises(SourceError, match="no such file or directory"):
        discover([tmp_path / "none"])


def test_overlapping_roots_give_a_file_once(tmp_path):
    write(tmp_path, **{"d/a.txt": "x"})
    assert names(tmp_path, tmp_path / "d", tmp_path / "d" / "a.txt") == ["d/a.txt"]


def test_relative_root(tmp_path, monkeypatch):
    write(tmp_path, **{"d/a.txt": "x"})
    monkeypatch.chdir(tmp_path)
    assert discover([Path("d")]).found[0].path == tmp_path / "d" / "a.txt"


def test_unreadable_folder_is_told(tmp_path, monkeypatch):
    write(tmp_path, **{"shut/a.txt": "x", "b.txt": "x"})
    real = os.scandir

    def scandir(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    result = discover([tmp_path])
    assert [f.name for f in result.found] == ["b.txt"]
    assert [(Path(s.path).name, s.reason) for s in result.skipped] == [("shut", "permission denied")]


def test_odd_entries(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    with open(os.path.join(os.fsencode(tmp_path), b"bad\xff.txt"), "wb") as file:
        file.write(b"x")
    told = discover([tmp_path]).skipped
    assert {s.reason for s in told} == {"not a regular file", "its name is not valid UTF-8"}
    assert all(s.path.encode("utf-8") for s in told)


GIT = shutil.which("git")


@pytest.mark.skipif(GIT is None, reason="needs git to compare with")
@pytest.mark.parametrize("seed", range(12))
def test_ignores_what_git_ignores(tmp_path, seed):
    rng = random.Random(seed)
    patterns = ["*", "!*/", "*.x", "!*.x", "d/", "!d/", "/d", "d/*", "!d/e/", "d/**", "**/e", "e", "!e", "f.x", "/e/", "d/**/f.y", "[de]/", "*/f.*"]
    folders = ["", "d/", "e/", "d/e/", "d/d/", "e/d/", "d/e/d/"]
    files = {f"{folder}{name}": "x" for folder in folders for name in ("f.x", "f.y", "g.x", "c")}
    for folder in rng.sample(folders, 3):
        files[f"{folder}.gitignore"] = "\n".join(rng.sample(patterns, rng.randint(1, 5))) + "\n"
    write(tmp_path, **files)
    subprocess.run([GIT, "init", "-q"], cwd=tmp_path, check=True)
    listed = subprocess.run([GIT, "ls-files", "-o", "--exclude-standard"], cwd=tmp_path, check=True, capture_output=True, text=True)
    expected = sorted(name for name in listed.stdout.split() if not name.endswith(".gitignore"))
    assert sorted(names(tmp_path)) == expected


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.md", "markdown"), ("A.PDF", "pdf"), ("x/Makefile", "code"), ("LICENSE", "text"), ("a.toml", "text"),
     ("CMakeLists.txt", "code"), ("a.unknown", "text"), ("a.ndjson", "jsonl"), ("a.htm", "html")],
)  # fmt: skip
def test_kinds(name, kind):
    assert kind_of(name) == kind


def test_languages():
    assert [language_of(n) for n in ("a.py", "b.tsx", "c.h", "Dockerfile", "a.txt")] == ["python", "tsx", "c", "docker", None]


def test_content_hash(tmp_path):
    write(tmp_path, **{"a": "x", "b": "x", "c": "y"})
    assert content_hash(tmp_path / "a") == content_hash(tmp_path / "b") != content_hash(tmp_path / "c")
    with pytest.raises(SourceError, match="no such file"):
        content_hash(tmp_path / "none")


def test_importing_the_package_is_light():
    heavy = "{'pymupdf', 'bs4', 'tree_sitter', 'torch', 'numpy', 'charset_normalizer', 'pathspec'}"
    code = f"import sys, engine.sources; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).parents[2])  # fmt: skip
    assert done.stdout.strip() == "set()"
