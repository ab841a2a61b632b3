"""Memory interleaving: route, take the wanted documents' original text into the context, route again, answer.

Two hypotheses stay alive: each carries its own evidence, so a wrong first hop can be left. After every round the
model reads what it has; it goes on while it says there is not enough.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engine.answer_type import asks_for_default, asks_for_version, fits
from engine.found import Found, folded, sureness
from engine.links import chained, named, passes_by
from engine.model.interface import Candidates, Context, Evidence
from engine.model.tables import first_row, header_before
from engine.policy import Policy, weighed
from engine.routing import lexical_shares
from engine.separated import header, separator_of
from engine.spoken_code import Said, said_of
from engine.store import SegmentGoneError
from engine.tidied import tidied, version_of

if TYPE_CHECKING:
    from engine.model.interface import MemoryModel
    from engine.routing import Routed, Router
    from engine.store import DocumentRow, Store


TABLE_REACH = 4000
"""Characters before a document in which the head of its table is looked for."""
LEAST_SAID = 0.4
"""How much of the question's wording code says at least of what it is read for, though it is not among the most wanted."""
MOST_SAID = 2
"""So many of the things that code says most of the question of are possible answers, whatever the model thinks of them."""
LEAST_PROPOSED = 0.15
SECTION_REACH = 8
"""Documents before one of the same section in which its heading is looked for."""
HEADER_REACH = 2000
"""Characters of a file of separated values in which its header is."""


@dataclass
class Round:
    """One round: per hypothesis the routed documents and which were taken; why the loop went on or stopped."""

    number: int
    queries: list[str]
    routed: list[list[tuple[Routed, float]]]
    taken: set[int]
    decision: str = ""
    enough: float = 0.0


@dataclass
class Grown:
    """A context that just took one more document: the logit it was chosen by, what it may read; once read, whether it is
    enough, how relevant the document is to it, and which of its pieces what the question names leads to."""

    context: Context
    logit: float
    memory: Candidates
    enough: float = 0.0
    relevance: float = 0.0
    chain: list[bool] = field(default_factory=list)


@dataclass
class Outcome:
    """What the loop found: readings best first, the rounds, and how sure it is (0..1)."""

    found: list[Found] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    confidence: float = 0.0


class Interleaver:
    """Runs the loop for one question over one memory."""

    def __init__(self, model: MemoryModel, store: Store, router: Router, policy: Policy, top_k: int | None = None):
        self.model, self.store, self.router, self.policy = model, store, router, policy
        self.top_k = top_k or model.config.router.top_k_docs
        self._rows: dict[int, DocumentRow] = {}
        self._told: dict[tuple[str, int], list[Said]] = {}

    def ask(self, question: str, max_hops: int, on_round: Callable[[Round], None] | None = None) -> Outcome:
        outcome = Outcome()
        beam = [Context(question)]
        seen: set[frozenset[int]] = set()
        for number in range(1, max_hops + 1):
            this, grown = self._round(number, beam, seen)
            self._read(grown, outcome, number)
            this.enough = max((g.enough for g in grown), default=0.0)
            this.decision = self._decide(outcome, grown, number, max_hops)
            outcome.rounds.append(this)
            if on_round:
                on_round(this)
            if this.decision.startswith("stop"):
                break
            beam = [g.context for g in sorted(grown, key=self._kept)[: self.policy.hypotheses]]
        return outcome

    def _kept(self, grown: Grown) -> float:
        return -weighed(self.policy.keep, {"choice": grown.logit, "relevance": grown.relevance})

    def route(self, context: Context, k: int, exclude: Collection[int]) -> list[Routed]:
        """The k documents routing ranks best for one context."""
        return self._linked(context, self._route([context], k, [set(exclude)], self.policy.lexical_weight)[0])

    def relevance(self, question: str, documents: Sequence[int]) -> list[float] | None:
        """For each document, read beside the question, the log-odds that it is needed; None from a model that only routes."""
        self._load(documents)
        return self.model.relevance([Context(question, (self.evidence(d),)) for d in documents]) if documents else []

    def row(self, document: int) -> DocumentRow:
        self._load([document])
        if document not in self._rows:
            raise SegmentGoneError(f"{self.store.directory}: a document was forgotten meanwhile; ask again.")
        return self._rows[document]

    def _load(self, documents: Sequence[int]) -> None:
        """Catalog rows of documents not seen yet."""
        new = [d for d in documents if d not in self._rows]
        self._rows.update({row.id: row for row in self.store.documents(new)} if new else {})

    def _round(self, number: int, beam: list[Context], seen: set[frozenset[int]]) -> tuple[Round, list[Grown]]:
        """Route every hypothesis and grow it by the documents it wants most, the most wanted first over all."""
        held = [{e.document for e in context.evidence} for context in beam]
        weight = self.policy.candidate_weight
        routed = self._route(beam, self.top_k, held, self.policy.lexical_weight if weight is None else weight)
        candidates = [self._candidates(r) for r in routed]
        routed = [self._linked(context, r) for context, r in zip(beam, routed, strict=True)]
        choices = self.model.choose(beam, candidates)
        weights = self.policy.choice if number == 1 else self.policy.later_choice or self.policy.choice
        scored = [_weighed(weights, r, c) for r, c in zip(routed, choices, strict=True)]
        ranked = sorted(((x, i, r.document) for i, row in enumerate(scored) for r, x in row), key=lambda x: (-x[0], x[2]))
        if number == 1:
            ranked = _with_wording(ranked, routed[0], self.policy.inject)
            ranked = self._with_told(beam[0].question, ranked, self.policy.inject)
        grown: list[Grown] = []
        for logit, i, document in ranked:
            # The same documents in another order are no new hypothesis.
            key = frozenset(held[i] | {document})
            if key not in seen and len(grown) < (self.policy.inject if number == 1 else self.policy.later_inject):
                seen.add(key)
                evidence = (*beam[i].evidence, self.evidence(document))
                grown.append(Grown(Context(beam[i].question, evidence), logit, candidates[i]))
        taken = {g.context.evidence[-1].document for g in grown}
        return Round(number, [_looked_for(context) for context in beam], scored, taken), grown

    def _with_told(self, question: str, ranked: list[tuple[float, int, int]], places: int) -> list[tuple[float, int, int]]:
        """As `_with_wording`, the last but one of the first `places` for what tells by its form that it may answer: the code that says most of the
        question of something in it, since a constant has little else that routing could tell it by; where a version is asked
        for, what stands under a version's heading, if nothing does yet."""
        if asks_for_version(question):
            told = {d: LEAST_SAID * bool(version_of(self.row(d).title)) for _, _, d in ranked}
        else:
            told = {d: max((s.share for s in self._said(question, d)), default=0.0) for _, _, d in ranked}
        best = max((d for _, _, d in ranked), key=told.__getitem__, default=None)
        late = next((x for x in ranked[places:] if x[2] == best), None)
        if late is None or told[late[2]] < LEAST_SAID:
            return ranked
        return [*ranked[: places - 2], late, *(x for x in ranked[places - 2 :] if x is not late)]

    def _said(self, question: str, document: int) -> list[Said]:
        """What a document says by its form most of the question of, if that can answer it."""
        row = self.row(document)
        if row.kind != "code" and not asks_for_default(question):
            return []
        if (question, document) not in self._told:
            text = self.store.text(row.source_id, row.start, row.end)
            told = said_of(question, text, row.title, row.kind == "code")
            self._told[question, document] = [s for s in told if fits(question, text[s.start : s.end]) >= 0]
        return self._told[question, document]

    def _heading(self, piece: Evidence) -> Evidence:
        """The document in which the section of a piece begins, with its heading."""
        first = self.row(piece.document)
        before = [self.store.earlier(piece.document, steps) for steps in range(1, SECTION_REACH + 1)]
        self._load(before)
        for row in map(self._rows.get, before):
            if row is None or (row.source_id, row.title) != (first.source_id, first.title):
                break
            first = row
        return piece if first.id == piece.document else self.evidence(first.id)

    def _route(
        self, contexts: list[Context], k: int, exclude: list[set[int]], lexical_weight: float
    ) -> list[list[Routed]]:
        words = [
            lexical_shares(self.store, _lexical_queries(context), self.policy.lexical_k, gone)
            for context, gone in zip(contexts, exclude, strict=True)
        ]
        router = self.router.asking(k + max(map(len, exclude), default=0), words)
        scores = self.model.route(contexts, router).cpu()
        return [
            router.select(row, k, lexical, lexical_weight, gone)
            for row, lexical, gone in zip(scores, words, exclude, strict=True)
        ]

    def _candidates(self, routed: list[Routed]) -> Candidates:
        documents = [r.document for r in routed]
        self._load(documents)
        return Candidates(documents, [r.routing for r in routed], self.store.pooled_kv(documents))

    def _linked(self, context: Context, routed: list[Routed]) -> list[Routed]:
        titles = [self.row(r.document).title for r in routed] if context.evidence else []
        links = named(context.question, context.evidence, titles)
        return [replace(r, linked=float(link)) for r, link in zip(routed, links, strict=True)] if links else routed

    def evidence(self, document: int) -> Evidence:
        row = self.row(document)
        text = self.store.text(row.source_id, row.start, row.end)
        if row.kind == "csv":
            first = self.store.text(row.source_id, 0, HEADER_REACH).partition("\n")[0]
            separator = separator_of(first)
            return Evidence(document, row.title, text, columns=header(first, separator), separator=separator)
        code = row.kind == "code"
        return Evidence(document, row.title, text, code, () if code else self._columns(row, text))

    def _columns(self, row: DocumentRow, text: str) -> tuple[str, ...]:
        """The names of the columns where a document begins in the midst of a table."""
        cells = len(first_row(text))
        if cells < 2 or not row.start:
            return ()
        return tuple(header_before(self.store.text(row.source_id, max(0, row.start - TABLE_REACH), row.start), cells))

    def _read(self, grown: list[Grown], outcome: Outcome, number: int) -> None:
        """Judge and read all new contexts at once."""
        if not grown:
            return
        for g in grown:
            newest = len(g.context.evidence) - 1
            said = self._said(g.context.question, g.context.evidence[newest].document)[:MOST_SAID]
            g.context.proposed = tuple((newest, s.start, s.end) for s in said if s.share >= LEAST_PROPOSED)
        for g, answered in zip(grown, self.model.answer([g.context for g in grown], [g.memory for g in grown]), strict=True):
            g.enough, g.relevance = answered.enough, answered.relevance
            question, evidence = g.context.question, g.context.evidence
            g.chain = [chained(question, evidence, piece) for piece in range(len(evidence))]
            for context, reading in tidied(answered.readings, g.context, self._of_one_source, self._heading):
                found = Found(context, reading)
                found.features = {
                    "reading": reading.score,
                    "choice": g.logit,
                    "relevance": g.relevance,
                    "doubt": reading.doubt,
                    "hop": number - 1.0,
                    "enough": g.enough,
                    "words": found.worded(g.context.question),
                    "fits": found.fits,
                    "stated": float(found.stated),
                    "names": found.named,
                    "chain": float(reading.kind == "span" and any(g.chain[reading.piece : reading.piece + 1])),
                }
                outcome.found.append(found)
        alike = Counter(answer for answer, _ in {(folded(f.text), f.evidence.document) for f in outcome.found})
        for f in outcome.found:
            # The same answer from other documents speaks for it.
            f.features["agree"] = math.log(alike[folded(f.text)])
            f.score = weighed(self.policy.answer, f.features)
        outcome.found.sort(key=lambda f: -f.score)
        if outcome.found:
            outcome.confidence = 1 / (1 + math.exp(-weighed(self.policy.sure, sureness(outcome.found))))

    def _of_one_source(self, piece: Evidence) -> list[Evidence]:
        """What is known of the source of a piece beside it."""
        source = self.row(piece.document).source_id
        return [self.evidence(d) for d, row in self._rows.items() if row.source_id == source and d != piece.document]

    def _decide(self, outcome: Outcome, grown: list[Grown], number: int, max_hops: int) -> str:
        if not grown:
            return "stop: nothing more to look at"
        best = outcome.found[0] if outcome.found else None
        if best and outcome.confidence >= self.policy.stop and best.features["enough"] >= self.policy.enough:
            if not passes_by(best.context.question, best.context.evidence, (g.context.evidence[-1] for g in grown)):
                return "stop: enough"
        if number == max_hops:
            return "stop: hops used up"
        if number >= self.policy.plain_hops and not any(g.chain[-1] for g in grown):
            return "stop: nothing leads on"
        return "go on: not enough yet"


def _weighed(weights: Mapping[str, float], routed: list[Routed], heads: list[float]) -> list[tuple[Routed, float]]:
    """Each document with the log-odds that it is wanted, best first."""
    logits = [
        (r, weighed(weights, {"head": head, "routing": r.routing, "lexical": r.lexical, "linked": r.linked}))
        for r, head in zip(routed, heads, strict=True)
    ]
    return sorted(logits, key=lambda x: -x[1])


def _with_wording(ranked: list[tuple[float, int, int]], routed: list[Routed], places: int) -> list[tuple[float, int, int]]:
    """(logit, hypothesis, document), the most wanted first; the last of the first `places` is for the best by exact words: where
    many documents are alike, a name written out tells more than likeness."""
    best = next((r.document for r in routed if r.lexical == 1.0), None)
    last = next((x for x in ranked[places:] if x[2] == best), None)
    return [*ranked[: places - 1], last, *ranked[places - 1 :]] if last else ranked


def _lexical_queries(context: Context) -> list[str]:
    """Later rounds look for the question's words, and for them beside those the newest evidence begins with."""
    if not context.evidence:
        return [context.question]
    return [context.question, f"{context.question} {context.evidence[-1].text[:400]}"]


def _looked_for(context: Context) -> str:
    """The round's query for a person: the question, and what it rests on."""
    if not context.evidence:
        return context.question
    return f"{context.question} + {context.evidence[-1].title}"
