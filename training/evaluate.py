"""Stage 3: the reader alone, gold passage given, on validation questions.

    python -m training.evaluate MODEL_FOLDER QA_FOLDER [--sets squad,nq_gold] [--questions 200]

Prints exact match and F1 per set (SQuAD's normalisation), null answers not allowed, and how often the null answer
would have won. The memory read is the gold passages' own.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.scoring import exact, f1
from benchmarks.sets import load
from engine.model.interface import Candidates, Context, Evidence
from engine.model.loading import load_memory_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("qa", type=Path)
    parser.add_argument("--sets", default="squad,nq_gold,hotpotqa,tatqa_text,boolq")
    parser.add_argument("--questions", type=int, default=200)
    args = parser.parse_args()
    model = load_memory_model(args.model, "cpu")
    for name in args.sets.split(","):
        questions, passages = load(args.qa, name, args.questions, 0)
        texts = {p["id"]: p for p in passages}
        scores, matches, nulls = [], 0, 0
        for question in questions:
            golds = [texts[i] for i in question.golds if i in texts][:2]
            if not question.answers or not golds:
                continue
            evidence = tuple(Evidence(n, g["title"], g["text"]) for n, g in enumerate(golds))
            states = model.encode_documents([(g["title"], g["text"]) for g in golds])
            candidates = Candidates(list(range(len(golds))), [0.5] * len(golds), [(s.keys, s.values) for s in states])
            best = model.answer([Context(question.question, evidence)], [candidates])[0].readings[0]
            text = evidence[best.piece].text[best.start : best.end] if best.kind == "span" else best.kind
            scores.append(f1(text, question.answers))
            matches += exact(text, question.answers)
            nulls += best.score < 0
        n = len(scores)
        line = {"set": name, "questions": n, "em": round(100 * matches / n, 1), "f1": round(100 * sum(scores) / n, 1)}
        print(json.dumps({**line, "null_would_win": nulls}), flush=True)


if __name__ == "__main__":
    main()
