"""The bundled encoder in the model's seat: it routes by pooled keys and answers by pointing."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from engine.answer_type import asks_yes_or_no
from engine.model.attention import LayerMemory
from engine.model.encoder import MSAEncoder
from engine.model.heads import ANSWER_KINDS
from engine.model.inputs import ActiveRow, EncoderInputs, pad
from engine.model.interface import Answered, Candidates, Context, Evidence, Reading, RoutedMemory
from engine.model.states import DocumentStates
from engine.model.tables import table_cells
from engine.model.tokenizer import TokenCounter
from kernels.side_by_side import side_by_side

MAX_ANSWER_TOKENS = 40
READINGS = 5
LEAST_BATCH = 512
# An answer never runs on over a blank line, into the next item of a list or the next row of a table.
BLOCK_BREAK = re.compile(r"\n(?=[ \t]*(?:\n|[-*•+][ \t]|\d+[.)][ \t]|\||-{3}|={3}))")
# In code nor from one statement into the next; a sentence of a comment may be wrapped.
CODE_BREAK = re.compile(rf"(?<=[^\w\s,.-])\n|\n(?=[ \t]*(?:[^\w\s]|[\w.]+(?:\[[^]\n]*\])?[ \t]*[=(:]))|{BLOCK_BREAK.pattern}")


class PointingModel:
    """MemoryModel over an MSAEncoder. `batch_tokens` bounds one forward, padding included:
    small on a CPU, where batches run side by side, large on a GPU, where a forward costs its start."""

    def __init__(
        self,
        model: MSAEncoder,
        inputs: EncoderInputs,
        name: str,
        fingerprint: str,
        policy: dict[str, Any] | None = None,
        batch_tokens: int | None = None,
    ):
        self.model, self.inputs = model.eval(), inputs
        self.name, self.fingerprint = name, fingerprint
        self.config = model.config
        self.max_text_tokens = inputs.max_text_tokens
        self.count_tokens = TokenCounter(inputs.tokenizer)
        self.policy = policy or {}
        self.batch_tokens = batch_tokens or (1024 if self.device.type == "cpu" else 16_384)
        self.workers = torch.get_num_threads() if self.device.type == "cpu" else 1

    @property
    def device(self) -> torch.device:
        return self.model.norm.weight.device

    def encode_documents(self, documents: list[tuple[str, str]]) -> list[DocumentStates]:
        rows = self.inputs.documents(documents)
        size = self.config.router.pooling_kernel_size
        states: dict[int, DocumentStates] = {}

        def encode(picked: list[int]) -> None:
            ids, mask = pad([rows[i] for i in picked])
            layers = self.model.encode_documents(ids.to(self.device), mask.to(self.device))
            counts = [-(-len(rows[i]) // size) for i in picked]
            router_keys, keys, values = (
                torch.stack([getattr(layer, part) for layer in layers]).cpu().split(counts, 1)
                for part in ("router_keys", "keys", "values")
            )
            for j, i in enumerate(picked):
                states[i] = DocumentStates(router_keys[j], keys[j], values[j], len(rows[i]))

        side_by_side(encode, self._batches([len(r) for r in rows]), self.workers)
        return [states[i] for i in range(len(rows))]

    @torch.inference_mode()
    def route(self, contexts: list[Context], memory: RoutedMemory) -> Tensor:
        pad_sequence = torch.nn.utils.rnn.pad_sequence
        rows = [self._row(c) for c in contexts]
        queries = [self.model.first_router_query(x[None])[0] for x in self._run(self.model.encode_query, rows)]
        masks = [torch.tensor(row.routing, device=self.device) for row in rows]
        return memory.scores(0, pad_sequence(queries, batch_first=True), pad_sequence(masks, batch_first=True))

    @torch.inference_mode()
    def choose(self, contexts: list[Context], candidates: list[Candidates]) -> list[list[float]]:
        states = self._active(contexts, candidates)
        logits: list[list[float]] = []
        for state, picked in zip(states, candidates, strict=True):
            if not picked.documents:
                logits.append([])
                continue
            keys, values, mask = _stacked([(k[-1], v[-1]) for k, v in picked.pooled_kv], self.device)
            routing = torch.tensor([picked.scores], device=self.device)
            logits.append(self.model.heads.document(state[:1], keys[None], values[None], mask[None], routing)[0].tolist())
        return logits

    @torch.inference_mode()
    def answer(self, contexts: list[Context], candidates: list[Candidates]) -> list[Answered]:
        states = self._active(contexts, candidates)
        out = self.model.heads.read(states)
        kinds, doubts = self._judged(contexts, out.kind.log_softmax(-1))
        enough = self.model.heads.enough(states[:, 0]).sigmoid().squeeze(-1).tolist()
        relevance = self.model.heads.relevance(states[:, 0]).squeeze(-1).tolist()
        return [
            Answered(_readings(context, out.start[i], out.end[i], kinds[i], doubts[i]) if context.evidence else [], enough[i], relevance[i])
            for i, context in enumerate(contexts)
        ]

    def _judged(self, contexts: list[Context], kinds: Tensor) -> tuple[Tensor, list[float]]:
        """Log-probabilities of kinds [B, 3], and how doubtful the likelier of yes and no is: where they may answer, the judge
        says which, and whether anything is said at all, if the model has one."""
        doubts = -kinds[:, 1:].log_softmax(-1).amax(-1)
        may = [bool(best) or asks_yes_or_no(c.question) for best, c in zip(kinds.argmax(-1).tolist(), contexts, strict=True)]
        asked = [i for i, context in enumerate(contexts) if may[i] and context.evidence]
        if self.model.judge is None or not asked:
            return kinds, doubts.tolist()
        judged = self.model.judge(torch.stack([contexts[i].state[1][0] for i in asked]))
        said = judged[:, 1:] - judged[:, 1:].amax(-1, keepdim=True)
        kinds[asked, 1:] = kinds[asked, 1:].amax(-1, keepdim=True) + said
        doubts[asked] = -judged.log_softmax(-1)[:, 1:].amax(-1)
        return kinds, doubts.tolist()

    @torch.inference_mode()
    def relevance(self, contexts: list[Context]) -> list[float] | None:
        states = self._active(contexts, [Candidates([], [], []) for _ in contexts])
        return self.model.heads.relevance(states[:, 0]).squeeze(-1).tolist()

    def _row(self, context: Context) -> ActiveRow:
        return self.inputs.active(context.question, [(e.title, e.text, e.columns, e.separator) for e in context.evidence])

    def _encode(self, contexts: list[Context]) -> None:
        """Rows and reading states of contexts that have none yet."""
        new = [c for c in contexts if c.state is None]
        rows = [self._row(c) for c in new]
        for context, row, x in zip(new, rows, self._run(self.model.encode_reading, rows), strict=True):
            context.state = (row, x)

    def _run(self, encode: Callable[[Tensor, Tensor, Tensor], Tensor], rows: list[ActiveRow]) -> list[Tensor]:
        """States [T, d] of each row, or what else `encode` makes of it, in batches of like length."""
        states: dict[int, Tensor] = {}

        def run(picked: list[int]) -> None:
            ids, mask = pad([rows[i].ids for i in picked])
            segments, _ = pad([rows[i].segments for i in picked])
            x = encode(*(t.to(self.device) for t in (ids, mask, segments)))
            states.update({i: x[j, : len(rows[i].ids)] for j, i in enumerate(picked)})

        side_by_side(run, self._batches([len(r.ids) for r in rows]), self.workers)
        return [states[i] for i in range(len(rows))]

    def _active(self, contexts: list[Context], candidates: list[Candidates]) -> Tensor:
        """Final states [B, T, d] of the contexts, each reading its candidates' pooled K/V."""
        self._encode(contexts)
        hidden = [c.state[1] for c in contexts]
        x = torch.nn.utils.rnn.pad_sequence(hidden, batch_first=True)
        sizes = torch.tensor([h.shape[0] for h in hidden], device=self.device)
        mask = torch.arange(x.shape[1], device=self.device)[None] < sizes[:, None]
        memory = None
        if any(c.documents for c in candidates):
            memory = LayerMemory.gather([[(k[-1], v[-1]) for k, v in c.pooled_kv] for c in candidates])
            memory = LayerMemory(*(t.to(self.device) for t in (memory.keys, memory.values, memory.mask)))
        return self.model.active(x, mask, [memory])

    def _batches(self, lengths: list[int]) -> list[list[int]]:
        """Indices grouped by like length: little padding, at most `batch_tokens` a batch, work for every worker."""
        most = min(self.batch_tokens, max(LEAST_BATCH, -(-sum(lengths) // self.workers)))
        batches: list[list[int]] = []
        for i in sorted(range(len(lengths)), key=lengths.__getitem__):
            if batches and lengths[i] * (len(batches[-1]) + 1) <= most:
                batches[-1].append(i)
            else:
                batches.append([i])
        return batches[::-1]


def _stacked(pairs: list[tuple[Tensor, Tensor]], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """(K, V) pairs [C, G, D] -> keys, values [K, C, G, D] and mask [K, C]."""
    pad_sequence = torch.nn.utils.rnn.pad_sequence
    keys = pad_sequence([k for k, _ in pairs], batch_first=True).to(device)
    values = pad_sequence([v for _, v in pairs], batch_first=True).to(device)
    sizes = torch.tensor([k.shape[0] for k, _ in pairs], device=device)
    return keys, values, torch.arange(keys.shape[1], device=device)[None] < sizes[:, None]


def _breaks(piece: Evidence) -> list[int]:
    """Where in a text a block begins that no answer runs into."""
    if piece.code:
        return [m.end() for m in CODE_BREAK.finditer(piece.text)]
    return sorted({*(m.end() for m in BLOCK_BREAK.finditer(piece.text)), *(start for start, _ in table_cells(piece.text, piece.separator))})


def _blocks(context: Context, places: list[int]) -> Tensor:
    """For each place a number that is the same within one paragraph, list item or table cell of the evidence."""
    row: ActiveRow = context.state[0]
    breaks = [_breaks(e) for e in context.evidence]
    before = list(accumulate((len(b) + 1 for b in breaks), initial=0))
    numbers = ((row.places[p][0], row.places[p][1]) for p in places)
    return torch.tensor([before[piece] + bisect_right(breaks[piece], at) for piece, at in numbers])


def _proposed(
    context: Context, logits: tuple[Tensor, Tensor], places: list[int], readings: list[Reading], null: float
) -> list[Reading]:
    """Spans the context proposes that are not among the readings, by the logits of their first and last token; what stands in
    no token of the row is left out."""
    row: ActiveRow = context.state[0]
    added: list[Reading] = []
    for piece, a, b in context.proposed:
        inside = [n for n, p in enumerate(places) if row.places[p][0] == piece and row.places[p][2] > a and row.places[p][1] < b]
        if inside and not any(r.piece == piece and (r.start, r.end) == (a, b) for r in readings):
            score = float(logits[0][inside[0]] + logits[1][inside[-1]]) - null
            added.append(Reading("span", piece, a, b, score))
    return added


def _readings(context: Context, start: Tensor, end: Tensor, kinds: Tensor, doubt: float) -> list[Reading]:
    """The best spans inside one block of the evidence, and yes or no where the kind head prefers them or alone may answer."""
    row: ActiveRow = context.state[0]
    if not row.places:
        return []
    places = sorted(row.places)
    begin, blocks = torch.tensor(places), _blocks(context, places)
    s, e = start.cpu()[begin], end.cpu()[begin]
    null = float(start[0] + end[0])
    grid = s[:, None] + e[None, :]
    offset = torch.arange(len(places))
    legal = (offset[None] >= offset[:, None]) & (offset[None] < offset[:, None] + MAX_ANSWER_TOKENS)
    grid = grid.masked_fill(~(legal & (blocks[:, None] == blocks[None])), float("-inf"))
    readings: list[Reading] = []
    for flat in grid.flatten().topk(min(40, grid.numel())).indices.tolist():
        first, last = divmod(flat, len(places))
        piece, a, _ = row.places[places[first]]
        b = row.places[places[last]][2]
        if any(r.piece == piece and a < r.end and r.start < b for r in readings):
            continue
        score = float(grid[first, last]) - null
        if score == float("-inf"):
            break
        readings.append(Reading("span", piece, a, b, score))
        if len(readings) == READINGS:
            break
    readings += _proposed(context, (s, e), places, readings, null)
    best = 1 + int(kinds[1:].argmax())
    if asks_yes_or_no(context.question):
        # No span answers such a question; whichever of them stands in the sentence worded most like it says what the answer rests on.
        return [replace(r, kind=ANSWER_KINDS[best], doubt=doubt) for r in readings]
    if readings and kinds[best] > kinds[0]:
        # A yes or no rests on the passage its best span points to.
        score = max(float(kinds[best] - kinds[0]), readings[0].score)
        readings.insert(0, replace(readings[0], kind=ANSWER_KINDS[best], score=score, doubt=doubt))
    return readings
