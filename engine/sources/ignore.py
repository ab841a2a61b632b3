"""The rules of `.gitignore` and `.msaignore`: deeper files before shallower ones, `.msaignore` before `.gitignore`.

Patterns are matched by pathspec's GitIgnoreSpec, entry by entry while walking down, so that a folder that is
ignored is never opened and nothing below it can be taken back in, as in git.
"""

from __future__ import annotations

import os
from pathlib import Path

IGNORE_FILES = (".msaignore", ".gitignore")


class IgnoreRules:
    """The rules in force in one folder. `below` gives those of a subfolder; instances are immutable."""

    def __init__(self, specs: tuple[tuple[int, object], ...] = ()):
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
            verdict = spec.check_file(shown[cut:]).include  # type: ignore[attr-defined]
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


def _load(path: str) -> object | None:
    from pathspec import GitIgnoreSpec

    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    try:
        return GitIgnoreSpec.from_lines(lines) if lines else None
    except ValueError:
        return GitIgnoreSpec.from_lines([line for line in lines if _readable(line)])


def _readable(pattern: str) -> bool:
    """Whether pathspec can read one pattern; git, too, passes over those it cannot."""
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        return False
    return True
