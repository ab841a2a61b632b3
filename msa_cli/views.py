"""The engine's results as text for a person. Every function writes to a `Page` and decides nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from engine.results import (
    Answer,
    Citation,
    Hop,
    HopDocument,
    Recall,
    RecalledDocument,
    SourceInfo,
    Verification,
)
from msa_cli.page import Column, Page

HIGH, FAIR = 0.8, 0.5
"""From where a confidence is called high, and fair."""


def count(number: float) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,.0f}"


def plural(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")


def locate(item: Citation | HopDocument | RecalledDocument) -> str:
    """What a person can open, then the record of a .jsonl where there is one."""
    if item.page is not None:
        place = f"{item.source}#page={item.page}"
    elif item.lines is not None:
        place = f"{item.source}:{item.lines[0]}-{item.lines[1]}"
    else:
        place = item.source
    return place if item.record is None else f"{place} [{item.record}]"


def confidence(value: float) -> str:
    """A confidence in [0, 1] as a word and the number."""
    word = "high" if value >= HIGH else "fair" if value >= FAIR else "low"
    return f"confidence {word} ({value:.2f})"


def answer(page: Page, result: Answer) -> None:
    """The answer first, then what it rests on; or the passages that came nearest."""
    if result.found:
        page.block(result.answer or "", style="bold")
        if result.citations:
            page.line()
        citations(page, result.citations)
        tail = confidence(result.confidence)
        if result.dropped_citations:
            tail += f"; {plural(result.dropped_citations, 'citation')} not found word for word, left out"
        page.line()
        page.line((tail, "dim"))
        return
    page.line(("Not found in memory.", "bold"))
    if result.nearest:
        page.line()
        page.line("Nearest passages:")
        citations(page, result.nearest)


def citations(page: Page, items: Sequence[Citation]) -> None:
    """Each place, with the words that stand there."""
    for item in items:
        page.line((locate(item), "cyan"), indent=2)
        page.block(item.quote, indent=4)


def hop(page: Page, result: Hop) -> None:
    """One round: what was looked for, the documents with their scores (full dots: chosen), the decision."""
    page.line((f"hop {result.round}", "bold"), f"  {result.query}")
    columns = [Column(""), Column("score", right=True), Column("location", style="cyan"), Column("title")]
    page.table(
        columns,
        [
            ["●" if document.chosen else "○", f"{document.score:.3f}", locate(document), document.title]
            for document in result.documents
        ],
        indent=2,
    )
    page.line((f"-> {result.decision} (enough: {result.enough:.2f})", "dim"), indent=2)


def timings(page: Page, milliseconds: dict[str, float]) -> None:
    """The named times of one command, on one line."""
    if milliseconds:
        page.line((" · ".join(f"{name} {value:.1f} ms" for name, value in milliseconds.items()), "dim"))


def recall(page: Page, result: Recall) -> None:
    """One document a line, best first."""
    columns = [
        Column("rank", right=True),
        Column("score", right=True),
        Column("location", style="cyan"),
        Column("title"),
    ]
    page.table(
        columns,
        [[str(item.rank), f"{item.score:.3f}", locate(item), item.title] for item in result.documents],
    )


def sources(page: Page, items: Sequence[SourceInfo]) -> None:
    """One source a line, by the name that `forget` takes."""
    columns = [
        Column("name", style="cyan"),
        Column("kind"),
        Column("documents", right=True),
        Column("tokens", right=True),
    ]
    page.table(columns, [[s.name, s.kind, count(s.documents), count(s.tokens)] for s in items])


def verification(page: Page, result: Verification) -> None:
    """Sound or not; every problem on its own line."""
    checked = ", ".join(
        plural(number, noun)
        for number, noun in (
            (result.segments, "segment"),
            (result.documents, "document"),
            (result.sources, "source"),
        )
    )
    for problem in result.problems:
        page.line((problem, "red"))
    verdict = "sound" if result.sound else plural(len(result.problems), "problem")
    page.line((verdict, "green" if result.sound else "bold red"), f": checked {checked}")
