"""Stage 5: fit what ranks the documents of a recall that were read, on validation questions of many sets.

    python -m training.calibrate_recall MODEL_FOLDER QA_FOLDER [--questions N] [--passages N]

Adds `rank` and `later_rank` to MODEL_FOLDER/policy.json (training.calibrate writes the rest, and comes first): rankings over
`engine.recall.features` after one round and after two, in which each gold passage competes with all that are not.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from benchmarks.retrieval import MULTI_HOP, SETS
from benchmarks.sets import load_pool, passages_in_memory
from engine import Memory
from engine.interleave import Interleaver
from engine.recall import features, recall
from training.calibrate import fit_ranking

ROUNDS = 2
FIRST_GUESS = {"relevance": 0.4, "place": 2.0, "routing": 6.0, "lexical": 1.2}
NAMES = tuple(FIRST_GUESS)
LATER_NAMES = (*NAMES, "held", "linked", "later_place", "later_routing", "later_lexical")
Rows = list[tuple[list[dict[str, float]], list[bool]]]


def ranked_rows(memory: Memory, questions: list, rank: dict[str, float], hops: int = ROUNDS) -> Rows:
    """Per question the features of all documents read in the rounds of a recall that ranks by `rank`, and which are gold."""
    rows = []
    asker = memory._asking()
    asker.policy = replace(asker.policy, rank=rank, later_rank=None)
    for question in questions:
        loop = Kept(asker.model, asker.store, asker._loop(None).router, asker.policy)
        recall(loop, question.question, 1, hops)
        known = features(loop.rounds, loop.judged, loop.held)
        rows.append((list(known.values()), [loop.row(d).record in question.golds for d in known]))
    return rows


class Kept(Interleaver):
    """A loop that remembers what its recall saw."""

    def __init__(self, *args):
        super().__init__(*args)
        self.rounds, self.judged, self.held = [], {}, set()

    def route(self, context, k, exclude):
        self.held = set(exclude)
        self.rounds.append(super().route(context, k, exclude))
        return self.rounds[-1]

    def relevance(self, question, documents):
        judged = super().relevance(question, documents)
        self.judged.update(zip(documents, judged or [], strict=True))
        return judged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("qa", type=Path)
    parser.add_argument("--questions", type=int, default=60, help="a set")
    parser.add_argument("--passages", type=int, default=2000, help="a set")
    args = parser.parse_args()
    # Not the set of code: it has no validation part of its own.
    sets = [s for s in SETS if (args.qa / f"{s}.contexts.jsonl.xz").exists()]
    pool, passages = load_pool(args.qa, sets, args.questions, args.passages, needs_answer=False)
    questions = [q for q in pool if q.golds and all(g in passages for g in q.golds)]
    with passages_in_memory(passages, args.model) as memory:
        rank = fit_ranking(ranked_rows(memory, questions, FIRST_GUESS, 1), NAMES, ridge=1e-3, each=True)
        later = fit_ranking(ranked_rows(memory, questions, rank), LATER_NAMES, ridge=1e-3, each=True)
    several = sum(q.set in MULTI_HOP for q in questions)
    fitted = {"rank": rank, "later_rank": later}
    print(json.dumps({"questions": len(questions), "of several documents": several, **fitted}))
    policy = json.loads((args.model / "policy.json").read_text())
    (args.model / "policy.json").write_text(json.dumps({**policy, **fitted}, indent=2) + "\n")


if __name__ == "__main__":
    main()
