"""The losses of the bundled model, each a small function over logits."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def decoupled_contrastive(scores: Tensor, positive: Tensor, negative: Tensor, temperature: float) -> Tensor:
    """Mean over positives of -log(e^(s+/t) / (e^(s+/t) + sum over negatives e^(s-/t))) (arXiv 2603.23516, eq. of L_aux).

    scores, positive, negative [B, N]; a positive competes with negatives only. Rows without positives count nothing.
    """
    logits = scores.float() / temperature
    rest = logits.masked_fill(~negative, float("-inf")).logsumexp(1, keepdim=True)
    each = F.softplus(rest - logits)
    return each[positive].mean() if positive.any() else scores.sum() * 0


def similarity_distillation(scores: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """KL from the teacher's distribution over the batch's documents to the student's; both [B, N] similarities."""
    target = (teacher / temperature).log_softmax(1)
    return F.kl_div((scores / temperature).log_softmax(1), target, log_target=True, reduction="batchmean")


def pointed(logits: Tensor, target: Tensor, allowed: Tensor) -> Tensor:
    """Cross-entropy of a pointer [B, T] over `allowed` positions; target IGNORED rows count nothing."""
    if not (target >= 0).any():
        return logits.sum() * 0
    return F.cross_entropy(logits.float().masked_fill(~allowed, -1e4), target, ignore_index=-100)


def pointed_among(logits: list[Tensor], allowed: list[Tensor], context: int, target: int) -> Tensor:
    """Cross-entropy of one pointer over a group's contexts and *nowhere*: `logits` [T] and `allowed` [T] of each; position
    0 is a context's own null answer, which its other positions are measured against. `target` 0 is nowhere."""
    odds = [(x - x[0]).float().masked_fill(~a, -1e4) for x, a in zip(logits, allowed, strict=True)]
    said = odds[context][target] if target else odds[0].new_zeros(())
    # Position 0 of each context is the same nowhere: it counts once.
    return torch.cat([odds[0].new_zeros(1), *(x[1:] for x in odds)]).logsumexp(0) - said


def wanted_among(logits: Tensor, wanted: int) -> Tensor:
    """Cross-entropy over a group's contexts [G] and none of them (`wanted` -1), whose logit is 0."""
    every = torch.cat([logits.float(), logits.new_zeros(1)])
    return every.logsumexp(0) - every[wanted]


def wanted_documents(logits: Tensor, wanted: Tensor) -> Tensor:
    """Binary cross-entropy over the candidates [B, K]."""
    return F.binary_cross_entropy_with_logits(logits.float(), wanted.float())


def enough(logits: Tensor, target: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits.float(), target)


def mask_of(rows: list[list[int]], width: int) -> Tensor:
    """Index lists -> bool [B, width]."""
    mask = torch.zeros(len(rows), width, dtype=torch.bool)
    for i, row in enumerate(rows):
        mask[i, row] = True
    return mask
