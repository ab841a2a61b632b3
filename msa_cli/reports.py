"""Views of what changes a memory, and of what it costs."""

from __future__ import annotations

from typing import Any

from engine.results import Footprint, Forgotten, IngestReport
from msa_cli.errors import note, say
from msa_cli.page import Column, Page
from msa_cli.views import count, plural

BAR = 24
"""Width of the longest bar, in columns."""

PARTS = ("router_keys", "content_kv", "text", "catalog", "total")
"""The tiers of a projection, in the order shown."""

SPREAD = 5
"""How many missing sources are named before the rest is counted."""


def size(number: float) -> str:
    """Bytes for a person, in powers of 1024."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(number) < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def bar(share: float) -> str:
    """A bar for a share in [0, 1]; what is there at all gets a sliver."""
    eighths = max(round(share * BAR * 8), 1) if share > 0 else 0
    return "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")


def ingest(page: Page, report: IngestReport, verb: str = "ingested") -> None:
    """One line of what went in; what did not, on stderr."""
    counts = [(report.added, "added"), (report.changed, "changed"), (report.unchanged, "unchanged")]
    if report.pruned:
        counts.append((report.pruned, "pruned"))
    if report.failed:
        counts.append((len(report.failed), "failed"))
    sources = ", ".join(f"{count(number)} {what}" for number, what in counts)
    encoded = f"{plural(report.documents, 'document')}, {plural(report.tokens, 'token')}"
    if report.tokens and report.seconds > 0:
        encoded += f" in {report.seconds:.1f} s ({count(report.tokens / report.seconds)} tokens/s)"
    page.line((verb, "bold"), f": {sources}; {encoded}")
    left_out(report)


def listing(page: Page, report: IngestReport) -> None:
    """A dry run: the files that would go in, one a line; what would be left out, and why, on stderr."""
    for path in report.listed:
        page.line(path)
    for item in report.skipped:
        note(f"skipped {item.path}: {item.reason}")
    for item in report.failed:
        say(f"{item.path}: {item.reason}")
    note(f"{plural(len(report.listed), 'file')} would be read; nothing was changed")


def left_out(report: IngestReport) -> None:
    """On stderr: files that failed, were skipped, or are in memory but no longer on disk."""
    for item in report.failed:
        say(f"{item.path}: {item.reason}")
    if report.skipped:
        note(f"{plural(len(report.skipped), 'file')} skipped (--dry-run names them)")
    for name in report.missing[:SPREAD]:
        note(f"no longer on disk (use --prune to drop): {name}")
    if len(report.missing) > SPREAD:
        note(f"... and {count(len(report.missing) - SPREAD)} more no longer on disk")


def forgotten(page: Page, result: Forgotten) -> None:
    """What went, one source a line, and the sum on stderr."""
    for name in result.sources:
        page.line("forgot ", (name, "cyan"))
    note(f"{plural(result.documents, 'document')}, {plural(result.tokens, 'token')} removed")


def stats(page: Page, result: Footprint) -> None:
    """What the memory holds, what it costs by tier, and what more would cost."""
    kinds = ", ".join(f"{count(number)} {kind}" for kind, number in sorted(result.kinds.items()))
    facts = [
        ("memory", result.store),
        ("sources", count(result.sources) + (f" ({kinds})" if kinds else "")),
        ("documents", count(result.documents)),
        ("tokens", f"{count(result.tokens)} in {plural(result.chunks, 'chunk')}"),
        ("segments", count(result.segments)),
        ("model", (result.model or "none yet") + (f" ({result.fingerprint[:12]})" if result.fingerprint else "")),
        ("device", result.device),
    ]
    for name, value in facts:
        page.line((f"{name:<11}", "dim"), value)
    page.line()
    tiers(page, result)
    if result.projections:
        page.line()
        projections(page, result.projections)


def tiers(page: Page, result: Footprint) -> None:
    """A bar for each tier's share, its bytes, how much of it is resident, and where it lives."""
    total = result.bytes["total"]
    rows = []
    for tier, number in result.bytes.items():
        if tier == "total":
            continue
        held = result.resident.get(tier, 0)
        place = result.places.get(tier, "") + (f" ({size(held)} resident)" if held else "")
        rows.append([tier, size(number), bar(number / total) if total else "", place])
    rows.append(["total", size(total), "", f"{result.bytes_per_token:.1f} bytes a token"])
    columns = [Column("tier"), Column("size", right=True), Column("share", style="cyan"), Column("where")]
    if not page.fancy:
        columns, rows = [c for c in columns if c.head != "share"], [[*row[:2], row[3]] for row in rows]
    page.table(columns, rows)


def projections(page: Page, rows: list[dict[str, Any]]) -> None:
    """The same memory at other sizes: bytes a tier, and whether it fits."""
    heads = [Column(head, right=head != "") for head in ("at tokens", *PARTS, "")]
    cells = [
        [count(row["tokens"]), *(size(row[part]) for part in PARTS), str(row.get("fits", ""))] for row in rows
    ]
    if not page.fancy:
        # Without heads a bare size says nothing, so each carries its name.
        heads = [Column("") for _ in heads]
        cells = [
            [f"{tokens} tokens", *map(" ".join, zip(PARTS, sizes, strict=True)), fits]
            for tokens, *sizes, fits in cells
        ]
    page.table(heads, cells)
