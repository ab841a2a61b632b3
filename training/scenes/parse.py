"""Files of scenes -> scenes.

A line that begins with @scene, @title, @kind, @head, @slot, @noise, @fact, @say, @block, @also, @ask, @yes or @no is a mark; what follows
@head, @say, @block and @also goes on over the lines below. A saying holds its answer in [[ ]]; {name} is a slot of the scene, {{ and }} are
braces. A block says several facts at once, their answers numbered ([[1:{n} days]]); `@ask 1 ...` asks for the first, and @also says the
block in another form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

MARK = re.compile(r"@(scene|title|kind|head|slot|noise|fact|say|block|also|ask|yes|no)\b ?(.*)")
PART = re.compile(r"\{\{|\}\}|\{(\w+)\}")
ANSWER = re.compile(r"\[\[(?!\[)(.+?)\]\]", re.DOTALL)
NUMBERED = re.compile(r"\[\[(\d+):(.+?)\]\]", re.DOTALL)
LEAST_FACTS = 5


@dataclass
class Fact:
    """Facts of one `block` (None: a fact alone) are said by the same text."""

    say: list[str] = field(default_factory=list)
    ask: list[str] = field(default_factory=list)
    yes: list[str] = field(default_factory=list)
    no: list[str] = field(default_factory=list)
    block: int | None = None


@dataclass
class Scene:
    """`slots`: name -> its type and bounds, as written. `in_block`: what is read now belongs to the newest of `blocks`."""

    name: str
    title: str = ""
    kind: str = ""
    head: str = ""
    slots: dict[str, str] = field(default_factory=dict)
    noise: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    blocks: list[list[str]] = field(default_factory=list)
    in_block: bool = False


def parsed(text: str) -> Iterator[Scene]:
    """Raises ValueError for a line that belongs to nothing."""
    scene: Scene | None = None
    onto = ""
    for number, line in enumerate(text.split("\n"), 1):
        mark = MARK.fullmatch(line)
        if mark and mark[1] == "scene":
            if scene:
                yield scene
            scene, onto = Scene(mark[2].strip()), ""
        elif scene is None or (not mark and not onto and line.strip()):
            if line.strip():
                raise ValueError(f"line {number} belongs to nothing: {line[:60]}")
        elif mark:
            onto = _marked(scene, mark[1], mark[2].strip())
        elif onto == "head":
            scene.head += line + "\n"
        elif onto:
            says = scene.facts[-1].say if onto == "say" else scene.blocks[-1]
            says[-1] = f"{says[-1]}\n{line}" if says[-1] else line
    if scene:
        yield scene


def _marked(scene: Scene, mark: str, rest: str) -> str:
    """Takes a mark; the name of what the lines below go on with, "" for nothing."""
    if mark in ("fact", "block"):
        scene.in_block = mark == "block"
    if mark in ("title", "kind", "head"):
        setattr(scene, mark, rest)
    elif mark == "slot":
        name, _, kind = rest.partition(" ")
        scene.slots[name] = kind
    elif mark == "noise":
        scene.noise.append(rest)
    elif mark == "fact":
        scene.facts.append(Fact())
    elif mark == "block":
        scene.blocks.append([rest])
    elif mark == "also":
        scene.blocks[-1].append(rest)
    else:
        number = re.match(r"(\d+) +", rest) if scene.in_block else None
        fact = _numbered(scene, number[1]) if number else scene.facts[-1]
        getattr(fact, mark).append(rest[number.end() :] if number else rest)
    return mark if mark in ("head", "say", "block", "also") else ""


def _numbered(scene: Scene, number: str) -> Fact:
    """The fact of the newest block with this number."""
    block = len(scene.blocks) - 1
    says = [NUMBERED.sub(lambda m: f"[[{m[2]}]]" if m[1] == number else m[2], text) for text in scene.blocks[-1]]
    fact = next((f for f in scene.facts if f.block == block and f.say == says), None)
    if fact is None:
        fact = Fact(says, block=block)
        scene.facts.append(fact)
    return fact


def known(scene: Scene, text: str) -> bool:
    return all(not m[1] or m[1] in scene.slots for m in PART.finditer(text))


def sound(scene: Scene) -> Scene:
    """The scene without sayings that do not hold one answer, and what asks for slots that are not there."""
    facts = []
    for fact in scene.facts:
        says = [s.strip("\n") for s in fact.say if len(ANSWER.findall(s)) == 1 and known(scene, s)]
        asked = ([q for q in some if q and known(scene, q)] for some in (fact.ask, fact.yes, fact.no))
        if says:
            facts.append(Fact(says, *asked, block=fact.block))
    return replace(scene, noise=[n for n in scene.noise if n and known(scene, n)], facts=facts)


def read_scenes(files: list[Path]) -> list[Scene]:
    scenes = [sound(s) for file in files for s in parsed(file.read_text(encoding="utf-8"))]
    return [s for s in scenes if len(s.facts) >= LEAST_FACTS]
