"""From the loop's outcome to what is handed out: answers with verified citations, recalled documents."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.answer_type import asks_for_explanation
from engine.clauses import told_by_clause
from engine.common import Common, common, said_of_both
from engine.comparing import Comparison, comparison, speaks_of
from engine.found import Found
from engine.grounding import LINE_KINDS, best_sentence, cite, quote_span
from engine.interleave import Interleaver, Outcome, Round
from engine.kinship import spelled_out
from engine.nested import Step, first_step, person_first
from engine.policy import Policy
from engine.recall import recall
from engine.results import Answer, Citation, Hop, HopDocument, Recall, RecalledDocument
from engine.routing import Routed, Router
from engine.several import JOINT, answers_of, asks_for_several, one_by_one
from engine.store import SegmentGoneError, page_of
from engine.store.budget import Budget
from engine.store.tiers import RouterKeys

if TYPE_CHECKING:
    from engine.model.interface import Evidence, MemoryModel
    from engine.store import DocumentRow, Store

LONGEST_STEP = 8
"""Words of an answer that can stand in a question for what it tells."""
LEAST_OF_BOTH = 0.1
"""How sure at least it must be what each of two things is, where what both are is asked for."""
MOST_APART = 2
"""How often a question is taken apart where it has no sure answer."""
LEAST_CLAUSE = 5
"""Words of an answer to how or why that say it themselves; to fewer their whole sentence is given."""
NEAREST = 3
FACTS = 5
"""Readings among which a fact of the sort that is compared is looked for."""
ATTEMPTS = 3
# Where several things are asked for, so many times as many documents are read at first.
WIDER = 2


class Asker:
    """Answers questions over one store with one model; router keys stay resident between questions."""

    def __init__(self, store: Store, model: MemoryModel, budget: Budget = Budget()):
        self.store, self.model, self.budget = store, model, budget
        self.policy = Policy(**model.policy)
        self._router: Router | None = None

    def ask(
        self, question: str, top_k: int | None, max_hops: int | None, on_hop: Callable[[Hop], None] | None
    ) -> Answer:
        """A question about several named things is asked of each; one about two of them, too, and decided by what is found.
        Raises UnsupportedError when the model cannot answer."""
        max_hops = max_hops or self.policy.max_hops
        compared = comparison(question)
        shared = None if compared else common(question)
        parts = None if shared else one_by_one(question)
        if parts:
            return _together(question, [self._ask(part, top_k, max_hops, on_hop) for part in parts])
        decided = None
        if compared:
            decided = self._retried(lambda: self._compare(question, compared, top_k, max_hops, on_hop))
        elif shared:
            decided = self._retried(lambda: self._alike(question, shared, top_k, max_hops, on_hop))
        if decided:
            return decided
        spelled = spelled_out(question)
        led = self._led(spelled, top_k, max_hops, on_hop, led=spelled != question)
        return replace(led, question=question) if led else self._single(question, top_k, max_hops, on_hop)

    def _led(
        self, question: str, top_k: int | None, max_hops: int, on_hop: Callable[[Hop], None] | None, led: bool = False
    ) -> Answer | None:
        """The answer to a question that leads over several things, each asked for by what the one before it is; None where the
        question leads over one at most, or a step is not found."""
        step = None if max_hops == 1 else first_step(question, led)
        if step is None:
            return None
        first, rest = self._stepped(step, top_k, max_hops, on_hop)
        if rest is None:
            return None
        last = self._led(rest, top_k, max_hops, on_hop, led=True) or self._ask(rest, top_k, max_hops, on_hop)
        return _in_steps(question, [first, last], min(first.confidence, last.confidence)) if last.found else None

    def _single(
        self, question: str, top_k: int | None, max_hops: int, on_hop: Callable[[Hop], None] | None, apart: int = MOST_APART
    ) -> Answer:
        """The answer to a question as it stands; where that is not sure, what asking first for a thing that it tells by a clause or
        by another's name leads to, if that is surer."""
        direct = self._ask(question, top_k, max_hops, on_hop)
        if not apart or max_hops == 1 or direct.confidence >= self.policy.apart:
            return direct
        step = told_by_clause(question) or person_first(question)
        if step is None:
            return direct
        first, rest = self._stepped(step, top_k, max_hops, on_hop)
        asked = [direct, first]
        if rest is not None:
            last = self._single(rest, top_k, max_hops, on_hop, apart - 1)
            asked.append(last)
            both = round(first.confidence * last.confidence, 4)
            if last.found and both >= max(direct.confidence, self.policy.found):
                return _in_steps(question, asked, both)
        return replace(direct, timings_ms=_spent(asked))

    def _stepped(
        self, step: Step, top_k: int | None, max_hops: int, on_hop: Callable[[Hop], None] | None
    ) -> tuple[Answer, str | None]:
        """A step's answer, and the question with it in its place; None for that where it is not found or too long to stand there."""
        first = self._ask(step.asked, top_k, max_hops, on_hop)
        fits = first.found and len(first.answers[0].split()) <= LONGEST_STEP
        return first, step.taken(first.answers[0]) if fits else None

    def _compare(
        self, question: str, compared: Comparison, top_k: int | None, max_hops: int, on_hop: Callable[[Hop], None] | None
    ) -> Answer | None:
        """The answer that follows from a fact about each of the two; None where one is not found, or they do not tell."""
        began = time.perf_counter()
        loop = self._loop(top_k)
        loaded = time.perf_counter()
        hops: list[Hop] = []
        found: list[list[Found]] = []
        sure = 1.0
        tell = self._telling(loop, hops, on_hop)
        for name in compared.names:
            found.append([])
            for asked in compared.asked:
                outcome = loop.ask(asked.format(x=name), max_hops, tell)
                through = compared.through(name)
                told = [f for f in outcome.found[:FACTS] if compared.value(f.text)]
                fact = next((f for f in told if speaks_of(name, f.context.evidence if through else [f.evidence])), None)
                if fact is None or outcome.confidence < self.policy.found:
                    return None
                found[-1].append(fact)
                sure = min(sure, outcome.confidence)
        asked = time.perf_counter()
        decision = compared.decide(*([f.text for f in facts] for facts in found))
        # The fact itself, and where it is one about something that the name leads to, what leads there.
        cited = [
            self._citations(question, loop, f)[: None if compared.through(name) else 1]
            for name, facts in zip(compared.names, found, strict=True)
            for f in facts
        ]
        if decision is None or any(of_fact[0] is None for of_fact in cited):
            return None
        citations = list(dict.fromkeys(c for of_fact in cited for c in of_fact if c is not None))
        timings = _timings(began, loaded, asked)
        dropped = sum(c is None for of_fact in cited for c in of_fact)
        return Answer(question, decision, True, round(sure, 4), citations, hops, timings, dropped_citations=dropped, answers=[decision])

    def _alike(
        self, question: str, shared: Common, top_k: int | None, max_hops: int, on_hop: Callable[[Hop], None] | None
    ) -> Answer | None:
        """What is said of both of two things; None where nothing is."""
        began = time.perf_counter()
        loop = self._loop(top_k)
        loaded = time.perf_counter()
        hops: list[Hop] = []
        told: list[list[Found]] = []
        sure = 1.0
        tell = self._telling(loop, hops, on_hop)
        for name in shared.names:
            outcome = loop.ask(shared.asked.format(x=name), max_hops, tell)
            told.append([f for f in outcome.found[:FACTS] if f.reading.kind == "span" and speaks_of(name, [f.evidence])])
            sure = min(sure, outcome.confidence)
        asked = time.perf_counter()
        both = said_of_both(*([f.text for f in found] for found in told)) if sure >= LEAST_OF_BOTH else None
        if both is None:
            return None
        citations = [self._citations(question, loop, found[at])[0] for found, at in zip(told, both.at, strict=True)]
        if None in citations:
            return None
        # Two passages that say the same speak for each other.
        sure = round(max(sure, self.policy.found), 4)
        timings = _timings(began, loaded, asked)
        return Answer(question, both.words, True, sure, [c for c in citations if c], hops, timings, answers=[both.words])

    def _telling(self, loop: Interleaver, hops: list[Hop], on_hop: Callable[[Hop], None] | None) -> Callable[[Round], None]:
        """Notes every round among `hops` and hands it on."""

        def tell(this: Round) -> None:
            hops.append(self._hop(loop, this))
            if on_hop:
                on_hop(hops[-1])

        return tell

    def _ask(
        self, question: str, top_k: int | None, max_hops: int, on_hop: Callable[[Hop], None] | None
    ) -> Answer:
        def run() -> Answer:
            began = time.perf_counter()
            loop = self._loop(top_k)
            if asks_for_several(question):
                loop.policy = replace(self.policy, inject=WIDER * self.policy.inject)
            loaded = time.perf_counter()
            tell = (lambda r: on_hop(self._hop(loop, r))) if on_hop else None
            outcome = loop.ask(question, max_hops, tell)
            asked = time.perf_counter()
            answer = self._answer(question, loop, outcome)
            answer.timings_ms.update(_timings(began, loaded, asked))
            return answer

        return self._retried(run)

    def recall(self, question: str, k: int, max_hops: int) -> Recall:
        def run() -> Recall:
            loop = self._loop(None)
            routed = recall(loop, question, k, max_hops)
            return Recall(question, [self._recalled(rank, r, loop) for rank, r in enumerate(routed, 1)])

        return self._retried(run)

    def _retried(self, run: Callable):
        """A writer may rewrite segments under us: then read the memory anew."""
        for attempt in range(ATTEMPTS):
            try:
                return run()
            except SegmentGoneError:
                self._router = None
                if attempt + 1 == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _loop(self, top_k: int | None) -> Interleaver:
        if self._router is None or self._router.keys.version != self.store.version():
            keys = RouterKeys.load(self.store, getattr(self.model, "device", "cpu"), self.budget)
            self._router = Router(self.store, keys, self.model.config.router)
        return Interleaver(self.model, self.store, self._router, self.policy, top_k)

    def _answer(self, question: str, loop: Interleaver, outcome: Outcome) -> Answer:
        hops = [self._hop(loop, r) for r in outcome.rounds]
        dropped = 0
        if outcome.found and outcome.confidence >= self.policy.found:
            texts, citations = [], []
            for found in answers_of(question, outcome.found):
                wanted = self._citations(question, loop, found)
                dropped += sum(c is None for c in wanted)
                # The answer itself must stand in a citation that holds.
                if wanted[0] is not None:
                    texts.append(wanted[0].quote if _explained(question, found) else found.text)
                    citations += [c for c in wanted if c is not None and c not in citations]
            if texts:
                sure = round(outcome.confidence, 4)
                return Answer(
                    question, JOINT.join(texts), True, sure, citations, hops, {}, dropped_citations=dropped, answers=texts
                )
        nearest = [c for c in (self._nearest(question, loop, f) for f in _distinct(outcome.found)) if c is not None]
        confidence = 0.0 if dropped else round(outcome.confidence, 4)
        return Answer(question, None, False, confidence, [], hops, {}, nearest=nearest, dropped_citations=dropped)

    def _citations(self, question: str, loop: Interleaver, best: Found) -> list[Citation | None]:
        """The sentence that holds the answer first, then the one it was read off, if that is another, and the best sentence of
        every other piece of its evidence."""
        reading, piece = best.reading, best.evidence
        citations = [self._around(loop, piece, reading.start, reading.end)]
        told = piece
        if reading.read_off:
            told = best.context.evidence[reading.read_off[0]]
            citations.append(self._around(loop, told, *reading.read_off[1:]))
        for other in best.context.evidence:
            if other.document not in (piece.document, told.document):
                citations.append(self._sentence(loop, other, f"{question} {piece.title} {best.text}"))
        return citations

    def _around(self, loop: Interleaver, piece: Evidence, start: int, end: int) -> Citation | None:
        row = loop.row(piece.document)
        return self._cite(row, piece, quote_span(piece.text, start, end, by_line=row.kind in LINE_KINDS))

    def _nearest(self, question: str, loop: Interleaver, found: Found) -> Citation | None:
        return self._sentence(loop, found.evidence, question)

    def _sentence(self, loop: Interleaver, piece: Evidence, wanted: str) -> Citation | None:
        row = loop.row(piece.document)
        return self._cite(row, piece, best_sentence(piece.text, wanted, by_line=row.kind in LINE_KINDS))

    def _cite(self, row: DocumentRow, piece: Evidence, span: tuple[int, int]) -> Citation | None:
        return cite(self.store, row, row.start + span[0], piece.text[slice(*span)])

    def _hop(self, loop: Interleaver, this: Round) -> Hop:
        documents = []
        for routed, logit in sorted({r.document: (r, x) for row in this.routed for r, x in row}.values(), key=lambda x: -x[1]):
            row = loop.row(routed.document)
            documents.append(
                HopDocument(
                    row.source,
                    row.record,
                    row.title,
                    round(routed.score, 4),
                    page_of(row, row.start),
                    self._lines(row),
                    routed.document in this.taken,
                )
            )
        return Hop(this.number, "; ".join(this.queries), documents, this.decision, round(this.enough, 4))

    def _recalled(self, rank: int, routed: Routed, loop: Interleaver) -> RecalledDocument:
        row = loop.row(routed.document)
        page = page_of(row, row.start)
        return RecalledDocument(rank, row.source, row.record, row.title, page, self._lines(row), round(routed.score, 4))

    def _lines(self, row: DocumentRow) -> tuple[int, int] | None:
        if row.page_starts_json is not None:
            return None
        return self.store.line_range(row.source_id, row.start, row.end)


def _timings(began: float, loaded: float, asked: float) -> dict[str, float]:
    """Milliseconds of each stage up to now."""
    done = time.perf_counter()
    spent = {"load": loaded - began, "hops": asked - loaded, "ground": done - asked, "total": done - began}
    return {stage: round(seconds * 1000, 1) for stage, seconds in spent.items()}


def _explained(question: str, found: Found) -> bool:
    """The answer is the whole quote: the question asks how or why, and the answer is a few words of it."""
    few = found.reading.kind == "span" and len(found.text.split()) < LEAST_CLAUSE
    return few and asks_for_explanation(question)


def _together(question: str, answers: list[Answer]) -> Answer:
    """One answer from those to each part: as sure as the least sure, found if any is."""

    def every(field: str) -> list:
        return list(dict.fromkeys(x for a in answers for x in getattr(a, field)))

    texts = every("answers")
    found = bool(texts)
    return Answer(
        question,
        JOINT.join(texts) if found else None,
        found,
        min(a.confidence for a in answers if a.found or not found),
        every("citations"),
        [hop for a in answers for hop in a.hops],
        _spent(answers),
        nearest=[c for a in answers if not a.found for c in a.nearest[:1]],
        dropped_citations=sum(a.dropped_citations for a in answers),
        answers=texts,
    )


def _in_steps(question: str, answers: list[Answer], confidence: float) -> Answer:
    """What was asked one after the other as one answer: the last one's, resting on the one before it too."""
    *_, first, last = answers
    return replace(
        _together(question, answers),
        answer=last.answer,
        answers=last.answers,
        confidence=confidence,
        citations=list(dict.fromkeys(last.citations + first.citations)),
        nearest=[],
    )


def _spent(answers: list[Answer]) -> dict[str, float]:
    """Milliseconds of each stage, over all answers."""
    return {stage: round(sum(a.timings_ms[stage] for a in answers), 1) for stage in answers[0].timings_ms}


def _distinct(found: list[Found]) -> list[Found]:
    """The best reading of each document, best first, a few of them."""
    best: dict[int, Found] = {}
    for f in found:
        best.setdefault(f.evidence.document, f)
    return list(best.values())[:NEAREST]
