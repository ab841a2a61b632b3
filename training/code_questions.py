"""Questions over source code that cost nothing: read off Python functions with `ast`, phrased from templates."""

from __future__ import annotations

import ast
import random
import re
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
WHEN = ("Which exception is raised when {cause}?", "What is raised if {cause}?", "Which error says that {cause}?")
DESCRIBED_DEFAULT = (
    "What is {name} by default in the function that should {purpose}?",
    "To {purpose}: which {name} is taken when nothing is given?",
)
COMMENTED = ("What is the {comment}?", "Which value stands for: {comment}?", "{comment}: how much is it?")
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
    purpose = _purpose(function)
    arguments = [*function.args.posonlyargs, *function.args.args][-len(function.args.defaults) :]
    for argument, default in zip(arguments, function.args.defaults):
        value = ast.unparse(default)
        at = body.find(f"{argument.arg}={value}")
        if isinstance(default, ast.Constant) and default.value is not None and at >= 0:
            templates = DESCRIBED_DEFAULT if purpose and rng.random() < 0.5 else DEFAULT
            question = rng.choice(templates).format(name=_spoken(argument.arg, rng), function=name, purpose=purpose)
            yield question, value, at + len(argument.arg) + 1
    raised = [n for n in ast.walk(function) if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)]
    for node in raised[:2]:
        called = node.exc
        if not isinstance(called, ast.Call) or not isinstance(called.func, ast.Name):
            continue
        error, cause = called.func.id, _cause(called)
        at = body.find(error, body.find(f"raise {error}({ast.unparse(called.args[0])[:12]}" if called.args else "raise "))
        if cause and at >= 0:
            yield rng.choice(WHEN).format(cause=cause), error, at
        elif node is raised[0]:
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
        comment = _comment_above(lines, node.lineno)
        templates = COMMENTED if comment and rng.random() < 0.6 else CONSTANT
        question = rng.choice(templates).format(name=_spoken(node.targets[0].id, rng), comment=comment)
        yield {
            "set": "code",
            "question": question,
            "kind": "span",
            "golds": [{"title": "", "text": around, "spans": [[at, at + len(value)]]}],
            "negatives": [],
        }


def _purpose(function: ast.FunctionDef) -> str:
    """The first sentence of the docstring, as it goes on after "to"; empty when there is none of a fit length."""
    first = (ast.get_docstring(function) or "").split("\n\n")[0].split(". ")[0]
    words = " ".join(first.split()).rstrip(".")
    return words[:1].lower() + words[1:] if 15 < len(words) < 90 and words.isascii() else ""


def _cause(called: ast.Call) -> str:
    """The words of an exception's message, without its slots."""
    if not called.args:
        return ""
    parts = called.args[0].values if isinstance(called.args[0], ast.JoinedStr) else [called.args[0]]
    said = " ".join(str(p.value) for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str))
    words = " ".join(re.sub(r"%[sdr]|\{[^}]*\}|[\"'`:]", " ", said).split()).rstrip(".!")
    return words[:1].lower() + words[1:] if 12 < len(words) < 90 and words.isascii() else ""


def _comment_above(lines: list[str], lineno: int) -> str:
    above = lines[lineno - 2].strip() if lineno > 1 else ""
    words = above.lstrip("#: ").rstrip(".")
    return words[:1].lower() + words[1:] if above.startswith("#") and 12 < len(words) < 80 else ""


def _spoken(identifier: str, rng: random.Random) -> str:
    """The identifier as written, or as a person would say it."""
    return identifier if rng.random() < 0.6 else identifier.strip("_").replace("_", " ").lower()


def _lines(node: ast.FunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno
