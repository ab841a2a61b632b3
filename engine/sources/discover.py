"""Which files under the given roots are to be read, and which are left out and why.

Hidden and ignored entries are passed over without a word: the user's own rules say so. Symbolic links below a root are
never followed, so a walk cannot loop or leave the root. The order is that of sorted names, folder by folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from engine.errors import SourceError
from engine.results import FailedSource
from engine.sources.decode import looks_binary
from engine.sources.files import first_bytes, os_reason, shown
from engine.sources.ignore import IgnoreRules, rules_above
from engine.sources.kinds import BINARY_KINDS, kind_of, not_text_reason
from engine.sources.types import Discovery, Found

_NEVER = {".git", ".msa"}


def discover(roots: Sequence[Path], *, hidden: bool = False) -> Discovery:
    """All readable files under `roots`; a root that is a file is taken even when hidden or ignored.

    A file under several roots is found once, under the first. Raises SourceError for a root that does not exist.
    """
    walk = _Walk(hidden, len(roots) > 1)
    places = []
    for root in roots:
        place = os.path.abspath(root)
        try:
            places.append((place, os.stat(place)))
        except OSError as error:
            raise SourceError(shown(root), os_reason(error)) from None
    for place, status in places:
        if stat.S_ISDIR(status.st_mode):
            walk.folder(place, rules_above(Path(place)))
        else:
            walk.file(place, Path(place).parent, status)
    return Discovery(walk.found, walk.skipped)


class _Walk:
    def __init__(self, hidden: bool, several: bool):
        self.hidden = hidden
        self.found: list[Found] = []
        self.skipped: list[FailedSource] = []
        # One walk meets no file twice.
        self._seen: set[str] | None = set() if several else None

    def skip(self, path: str, reason: str) -> None:
        self.skipped.append(FailedSource(shown(path), reason))

    def folder(self, root: str, rules: IgnoreRules) -> None:
        root_path = Path(root)
        # A stack, not recursion: folders may be nested deeper than Python's stack. Names are pushed in reverse.
        stack: list[tuple[str, IgnoreRules] | os.DirEntry[str]] = [(root, rules)]
        while stack:
            top = stack.pop()
            if not isinstance(top, tuple):
                self._entry(top, root_path)
                continue
            folder, rules = top
            try:
                with os.scandir(folder) as entries:
                    ordered = sorted(entries, key=lambda entry: entry.name, reverse=True)
            except OSError as error:
                self.skip(folder, os_reason(error))
                continue
            rules = rules.below(folder, {entry.name for entry in ordered if entry.name.startswith(".")})
            for entry in ordered:
                if entry.name in _NEVER or (entry.name.startswith(".") and not self.hidden):
                    continue
                is_folder = entry.is_dir(follow_symlinks=False)
                if rules.ignores(entry.path, is_folder):
                    continue
                stack.append((entry.path, rules) if is_folder else entry)

    def _entry(self, entry: os.DirEntry[str], root: Path) -> None:
        try:
            if entry.is_symlink():
                self.skip(entry.path, _link_reason(entry.path, root))
            else:
                self.file(entry.path, root, entry.stat(follow_symlinks=False))
        except OSError as error:
            self.skip(entry.path, os_reason(error))

    def file(self, path: str, root: Path, status: os.stat_result) -> None:
        if self._seen is not None:
            if path in self._seen:
                return
            self._seen.add(path)
        reason = _refusal(path, status)
        if reason:
            self.skip(path, reason)
            return
        name = os.path.relpath(path, root).replace(os.sep, "/")
        self.found.append(Found(root, name, status.st_size, status.st_mtime_ns))


def _refusal(path: str, status: os.stat_result) -> str | None:
    """Why a file is not read, or None."""
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if shown(path) != path:
        return "its name is not valid UTF-8"
    if reason := not_text_reason(path):
        return reason
    try:
        head = first_bytes(path)
    except SourceError as error:
        return error.reason
    if kind_of(path) not in BINARY_KINDS and looks_binary(head):
        return "not text (binary)"
    return None


def _link_reason(path: str, root: Path) -> str:
    if not os.path.exists(path):
        return "broken symbolic link"
    target, inside = os.path.realpath(path), os.path.realpath(root)
    if target == inside or target.startswith(inside.rstrip("/") + "/"):
        return "symbolic link to what is already inside the folder"
    return "symbolic link that leaves the folder"
