"""Questions over source code that cost nothing: read off Python functions with `ast`, phrased from templates."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator
from typing import Any

Sample = dict[str, Any]

DEFAULT = (
    "What is the default value of {name} in {function}?",
    "What does {name} default to in {function}?",
    "Which {name} does {function} use if none is given?",
)
RAISES = (
    "Which exception does {function} raise?",
    "What error is raised by {function} when something is wrong?",
    "What does {function} raise?",
)
CONSTANT = ("What is the value of {name}?", "What is {name} set to?", "How large is {name}?")
RETURNS = ("What does {function} return?", "What is the return value of {function}?")


def code_samples(files: Iterable[str], wanted: int, rng: random.Random) -> list[Sample]:
    """At most `wanted` samples, at most three a file; a wrong function of the same file is the negative."""
    samples: list[Sample] = []
    for text in files:
        if "def " not in text or len(text) > 60_000:
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        found = list(_of_module(tree, text, rng))
        rng.shuffle(found)
        samples += found[:3]
        if len(samples) >= wanted:
            break
    return samples[:wanted]


def _of_module(tree: ast.Module, text: str, rng: random.Random) -> Iterator[Sample]:
    lines = text.splitlines()
    bodies = {
        n: "\n".join(lines[n.lineno - 1 : n.end_lineno])
        for n in ast.walk(tree)
        if isinstance(n, ast.FunctionDef) and 3 < _lines(n) < 40
    }
    for function, body in bodies.items():
        if not body.isascii():
            continue
        others = [o for f, o in bodies.items() if f.name != function.name]
        negatives = [{"title": "", "text": o} for o in rng.sample(others, min(2, len(others)))]
        for question, answer, at in _of_function(function, body, rng):
            yield {
                "set": "code",
                "question": question,
                "kind": "span",
                "golds": [{"title": f"def {function.name}", "text": body, "spans": [[at, at + len(answer)]]}],
                "negatives": negatives,
            }
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            yield from _of_constant(node, lines, rng)


def _of_function(function: ast.FunctionDef, body: str, rng: random.Random) -> Iterator[tuple[str, str, int]]:
    name = _spoken(function.name, rng)
    arguments = [*function.args.posonlyargs, *function.args.args][-len(function.args.defaults) :]
    for argument, default in zip(arguments, function.args.defaults):
        value = ast.unparse(default)
        at = body.find(f"{argument.arg}={value}")
        if isinstance(default, ast.Constant) and default.value is not None and at >= 0:
            question = rng.choice(DEFAULT).format(name=_spoken(argument.arg, rng), function=name)
            yield question, value, at + len(argument.arg) + 1
    raised = [n for n in ast.walk(function) if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)]
    if raised and isinstance(raised[0].exc, ast.Call) and isinstance(raised[0].exc.func, ast.Name):
        error = raised[0].exc.func.id
        yield rng.choice(RAISES).format(function=name), error, body.find(error, body.find("raise "))
    returned = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
    if len(returned) == 1:
        value = ast.unparse(returned[0].value)
        at = body.find(f"return {value}")
        if 1 < len(value) < 60 and at >= 0:
            yield rng.choice(RETURNS).format(function=name), value, at + len("return ")


def _of_constant(node: ast.Assign, lines: list[str], rng: random.Random) -> Iterator[Sample]:
    segment = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    value = segment[node.value.col_offset :]
    if node.lineno != node.end_lineno or not 0 < len(value) <= 40 or not segment.isascii():
        return
    around = "\n".join(lines[max(0, node.lineno - 6) : node.lineno + 6])
    at = around.find(segment)
    if at >= 0:
        at += segment.rfind(value)
        question = rng.choice(CONSTANT).format(name=_spoken(node.targets[0].id, rng))
        yield {
            "set": "code",
            "question": question,
            "kind": "span",
            "golds": [{"title": "", "text": around, "spans": [[at, at + len(value)]]}],
            "negatives": [],
        }


def _spoken(identifier: str, rng: random.Random) -> str:
    """The identifier as written, or as a person would say it."""
    return identifier if rng.random() < 0.6 else identifier.strip("_").replace("_", " ").lower()


def _lines(node: ast.FunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno
