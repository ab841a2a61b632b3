"""A memory without a store or a model, with the facade's signatures; and a runner of the command line over it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from engine.errors import MsaError, StoreCorruptError
from engine.results import (
    Answer,
    Citation,
    FailedSource,
    Footprint,
    Forgotten,
    Hop,
    HopDocument,
    IngestProgress,
    IngestReport,
    Recall,
    RecalledDocument,
    SourceInfo,
    Verification,
)

LONG = "handbook/" + "a very long folder name/" * 8 + "leave.md"

LEAVE = Citation(
    source="handbook/leave.md",
    record=None,
    page=None,
    lines=(12, 14),
    start=310,
    end=352,
    quote="Five days carry over;\nthe rest lapses in March.",
)
SCAN = Citation(
    source="scan.pdf", record=None, page=3, lines=None, start=9, end=15, quote="über\x1b[31mred"
)
HOP = Hop(
    round=1,
    query="how many days carry over?",
    documents=[
        HopDocument("handbook/leave.md", None, "Leave > Carry over", 0.91, lines=(10, 20), chosen=True),
        HopDocument("notes.jsonl", "n7", "Note", 0.2, lines=(7, 7)),
    ],
    decision="enough evidence",
    enough=0.88,
)
SOURCES = [
    SourceInfo(
        source="handbook/leave.md", record=None, kind="markdown", documents=3, tokens=1200,
        name="handbook/leave.md", id=1,
    ),
    SourceInfo(source=LONG, record=None, kind="text", documents=1, tokens=40, name=LONG, id=2),
    SourceInfo(
        source="notes.jsonl", record="n7", kind="jsonl", documents=1, tokens=9, name="notes.jsonl#n7", id=3
    ),
]  # fmt: skip
FOOTPRINT = Footprint(
    store="/home/ada/.msa",
    tokens=1249,
    documents=5,
    sources=3,
    chunks=22,
    segments=1,
    bytes={"router_keys": 2816, "content_kv": 5 * 2**20, "text": 4096, "catalog": 40960, "total": 5290752},
    bytes_per_token=4236.2,
    resident={"router_keys": 2816},
    places={"router_keys": "RAM", "content_kv": "disk", "text": "disk", "catalog": "disk"},
    kinds={"markdown": 1, "text": 1, "jsonl": 1},
    projections=[
        {
            "tokens": 10**n, "router_keys": 2 * 10**n, "content_kv": 4000 * 10**n, "text": 10**n,
            "catalog": 10**n, "total": 4004 * 10**n, "fits": "fits in RAM" if n < 7 else "router keys fit in RAM",
        }
        for n in (6, 7, 8)
    ],
    model="msa-small",
    fingerprint="c0ffee12",
    device="cpu",
)  # fmt: skip


def answered(question: str) -> Answer:
    return Answer(
        question=question, answer="Five days.", found=True, confidence=0.91, citations=[LEAVE, SCAN],
        hops=[HOP], timings_ms={"route": 1.25, "total": 8.0},
    )  # fmt: skip


def unanswered(question: str) -> Answer:
    return Answer(
        question=question, answer=None, found=False, confidence=0.1, citations=[], hops=[HOP],
        timings_ms={"total": 8.0}, nearest=[LEAVE],
    )  # fmt: skip


class FakeMemory:
    """Questions that begin with `no` are not found; `corrupt` and `refuse` raise; `slow` never ends."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.items = list(SOURCES)
        self.report = IngestReport(added=2, unchanged=1, documents=4, tokens=900, seconds=0.5)
        self.problems: list[str] = []
        self.error: BaseException | None = None

    def open(self, store, **options):
        self.calls.append(("open", store, options))
        if self.error is not None:
            raise self.error
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.calls.append(("close",))

    def ingest(self, paths, *, prune=False, dry_run=False, hidden=False, wait=0.0, progress=None):
        self.calls.append(("ingest", paths, prune, dry_run, hidden, wait))
        for done in range(3):
            if progress is not None:
                progress(IngestProgress(done, 2, 450 * done, 50 * done, 100, "handbook/leave.md"))
        if Path("slow") in paths:
            print("at work", file=sys.stderr, flush=True)
            time.sleep(60)
        return self.report

    def rebuild(self, progress=None, wait=0.0):
        self.calls.append(("rebuild", wait))
        return self.report

    def ask(self, question, *, top_k=None, max_hops=None, on_hop=None):
        self.calls.append(("ask", question, top_k, max_hops))
        if question.startswith("corrupt"):
            raise StoreCorruptError("segment 3 is damaged; run msa verify")
        if question.startswith("refuse"):
            raise MsaError("the question is longer than the model reads")
        if on_hop is not None:
            on_hop(HOP)
        return unanswered(question) if question.startswith("no") else answered(question)

    def recall(self, question, k=10, *, max_hops=1):
        self.calls.append(("recall", question, k, max_hops))
        documents = [
            RecalledDocument(1, LONG, None, "Leave", None, (1, 9), 0.93),
            RecalledDocument(2, "scan.pdf", None, "手当 > 通勤", 3, None, 0.5),
        ]
        return Recall(question=question, documents=[] if question.startswith("no") else documents[:k])

    def find(self, name):
        return [item for item in self.items if item.name == name or item.name.startswith(name + "/")]

    def forget(self, name, *, wait=0.0):
        self.calls.append(("forget", name, wait))
        gone = self.find(name)
        if not gone:
            raise MsaError(f"{name}: not in memory")
        self.items = [item for item in self.items if item not in gone]
        return Forgotten(
            [item.name for item in gone], sum(i.documents for i in gone), sum(i.tokens for i in gone)
        )

    def sources(self):
        return self.items

    def stats(self):
        return FOOTPRINT

    def verify(self):
        return Verification(segments=1, documents=5, sources=3, problems=self.problems)


FAILED = FailedSource("broken.pdf", "encrypted")

if __name__ == "__main__":
    # As a child process: `python fake_memory.py ARGUMENTS` is `msa ARGUMENTS` over a fake memory.
    from msa_cli import opening
    from msa_cli.app import main

    fake = FakeMemory()
    if sys.argv[1:2] == ["many"]:
        del sys.argv[1]
        fake.items = SOURCES * 20_000
    opening.open_memory = fake.open
    sys.exit(main())
