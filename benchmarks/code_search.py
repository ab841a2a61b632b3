"""Questions that ask for a function: what its docstring says, the docstring itself taken out of the code.

From Python's own library, which nobody here wrote and nothing was trained on. The title names file and function, as an
ingest would.
"""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from benchmarks.sets import Question

SET = "code"
LEFT_OUT = ("site-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo", "__pycache__")
LEAST_WORDS, LEAST_LINES = 5, 4


def load(questions: int, passages: int, seed: int = 1) -> tuple[list[Question], list[dict[str, str]]]:
    """At most so many questions, and their functions filled up with others to `passages` in all."""
    found = list(functions(Path(sysconfig.get_paths()["stdlib"])))
    random.Random(seed).shuffle(found)
    chosen = found[: max(questions, passages)]
    rows = [
        Question(SET, passage["id"], question, [], [passage["id"]], "retrieval")
        for question, passage in chosen[:questions]
    ]
    return rows, [passage for _, passage in chosen]


def functions(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(first sentence of its docstring, {"id", "title", "text"} without it) of every function that has one."""
    seen: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        if not set(LEFT_OUT) & set(name.parts):
            yield from of_file(str(name), path.read_text(encoding="utf-8", errors="replace"), seen)


def of_file(name: str, text: str, seen: set[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The same for one file; a sentence already `seen` asks for nothing in particular and is left out."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for owner, node in _named(tree, ""):
        question = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split()).split(". ")[0]
        code = _without_docstring(text.splitlines(), node)
        worded = len(question.split()) >= LEAST_WORDS and "->" not in question
        if worded and code.count("\n") >= LEAST_LINES and question not in seen:
            seen.add(question)
            title = f"{name} > {owner}{node.name}"
            yield question, {"id": f"{name}:{node.lineno}", "title": title, "text": code}


def _named(node: ast.AST, owner: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield owner, child
        elif isinstance(child, ast.ClassDef):
            yield from _named(child, f"{owner}{child.name}.")


def _without_docstring(lines: list[str], node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    kept = lines[node.lineno - 1 : node.end_lineno]
    first = node.body[0]
    if ast.get_docstring(node) is not None and first.end_lineno is not None:
        del kept[first.lineno - node.lineno : first.end_lineno - node.lineno + 1]
    return "\n".join(kept)
