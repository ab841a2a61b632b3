"""The rules of `.gitignore` and `.msaignore`: deeper files before shallower ones, `.msaignore` before `.gitignore`.

Patterns are compiled by pathspec's GitIgnoreSpec and matched entry by entry while walking down, as git does: a folder
that is ignored is never opened. pathspec's own verdict asks whether a path *or a folder above it* matches, which takes
`*`, `!*/`, `!*.py` for "everything below any folder"; here only a match of the entry itself counts.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

IGNORE_FILES = (".msaignore", ".gitignore")


# The group that pathspec's expressions match the slash after a folder's name with.
_FOLDER_MARK = "ps_d"


class _Rules:
    """The compiled patterns of one file."""

    def __init__(self, lines: list[str]):
        from pathspec import GitIgnoreSpec

        patterns = [p for p in GitIgnoreSpec.from_lines(lines).patterns if p.include is not None]
        self._patterns = [(p.regex, p.include) for p in reversed(patterns)]
        # Most entries match nothing: one expression says so at once.
        each = (f"(?:{regex.pattern.replace(f'?P<{_FOLDER_MARK}>', '?:')})" for regex, _ in self._patterns)
        self._any = re.compile("|".join(each) or r"(?!)")

    def verdict(self, path: str) -> bool | None:
        """True to ignore, False to take, None when no pattern matches; the last pattern that matches decides."""
        if not self._any.search(path):
            return None
        for regex, include in self._patterns:
            if any(_whole(match, path) for match in regex.finditer(path)):
                return include
        return None


def _whole(match: re.Match[str], path: str) -> bool:
    """Whether the entry itself was matched, not a folder above it."""
    mark = match.groupdict().get(_FOLDER_MARK)
    return mark is None or match.end(_FOLDER_MARK) == len(path)


class IgnoreRules:
    """The rules in force in one folder. `below` gives those of a subfolder; instances are immutable."""

    def __init__(self, specs: tuple[tuple[int, _Rules], ...] = ()):
        # (length of the absolute folder path with its slash, compiled patterns), most important first
        self._specs = specs

    def below(self, folder: str, names: set[str]) -> IgnoreRules:
        """The rules inside `folder` (absolute), which holds entries called `names`."""
        own = []
        for name in IGNORE_FILES:
            if name in names and (spec := _load(os.path.join(folder, name))):
                own.append((len(folder.rstrip("/")) + 1, spec))
        return IgnoreRules((*own, *self._specs)) if own else self

    def ignores(self, path: str, is_folder: bool) -> bool:
        """Whether the entry at the absolute `path` is ignored."""
        shown = path + "/" if is_folder else path
        for cut, spec in self._specs:
            verdict = spec.verdict(shown[cut:])
            if verdict is not None:
                return verdict
        return False


def rules_above(root: Path) -> IgnoreRules:
    """The rules of the folders above `root` up to its repository, or none outside a repository.

    A root that those rules ignore was named on purpose: then they do not apply below it.
    """
    if (root / ".git").exists():
        return IgnoreRules()
    above = []
    for folder in root.parents:
        above.append(folder)
        if (folder / ".git").exists():
            break
    else:
        return IgnoreRules()
    rules = IgnoreRules()
    for folder, child in zip(reversed(above), [*reversed(above[:-1]), root]):
        rules = rules.below(str(folder), set(IGNORE_FILES))
        if rules.ignores(str(child), True):
            return IgnoreRules()
    return rules


def _load(path: str) -> _Rules | None:
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    if not lines:
        return None
    try:
        return _Rules(lines)
    except ValueError:
        return _Rules([line for line in lines if _readable(line)])


def _readable(pattern: str) -> bool:
    """Whether pathspec can read one pattern; git, too, passes over those it cannot."""
    try:
        _Rules([pattern])
    except ValueError:
        return False
    return True
