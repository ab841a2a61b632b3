"""Exact match and F1 with SQuAD's normalisation (Rajpurkar et al. 2016); the paired bootstrap."""

from __future__ import annotations

import random
import re
import string
from collections import Counter

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(answer: str) -> str:
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def f1(answer: str, truths: list[str]) -> float:
    """Best token F1 over the accepted answers; 1.0 where both are empty."""
    return max((_f1(normalised(answer).split(), normalised(t).split()) for t in truths), default=0.0)


def exact(answer: str, truths: list[str]) -> bool:
    return any(normalised(answer) == normalised(t) for t in truths)


def _f1(got: list[str], wanted: list[str]) -> float:
    if not got or not wanted:
        return float(got == wanted)
    common = sum((Counter(got) & Counter(wanted)).values())
    return 2 * common / (len(got) + len(wanted)) if common else 0.0


def bootstrap(ours: list[float], theirs: list[float], rounds: int = 2000) -> tuple[float, float, float]:
    """Mean difference in points and its 95% interval over questions drawn anew (paired)."""
    rng = random.Random(0)
    gaps = [100 * (a - b) for a, b in zip(ours, theirs, strict=True)]
    means = sorted(sum(rng.choices(gaps, k=len(gaps))) / len(gaps) for _ in range(rounds))
    return sum(gaps) / len(gaps), means[int(0.025 * rounds)], means[int(0.975 * rounds)]
