"""Pointing heads of the encoder, in place of a vocabulary: which documents next, or enough; where the answer stands."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.model.config import ModelConfig

ANSWER_KINDS = ("span", "yes", "no")
JUDGEMENTS = ("unsaid", "yes", "no")


@dataclass
class Reading:
    """What the answer heads say of each row: `start`, `end` [B, T] logits, `kind` [B, 3] logits over ANSWER_KINDS.

    Position 0 is the null answer of `start` and `end`.
    """

    start: Tensor
    end: Tensor
    kind: Tensor


class DocumentHead(nn.Module):
    """Scores each candidate from its pooled K/V: one attention step into the document, then a small MLP.

    The routing score enters linearly, so the untrained head ranks as the router does.
    """

    def __init__(self, config: ModelConfig, width: int = 128):
        super().__init__()
        self.shape = (config.num_key_value_heads, config.head_dim)
        size = config.num_key_value_heads * config.head_dim
        self.query_proj = nn.Linear(config.hidden_size, size)
        self.context_proj = nn.Linear(config.hidden_size, width)
        self.document_proj = nn.Linear(size, width)
        self.hidden = nn.Linear(3 * width, width)
        self.score = nn.Linear(width, 1)
        self.routing_weight = nn.Parameter(torch.tensor(10.0))
        nn.init.zeros_(self.score.weight)

    def forward(self, context: Tensor, keys: Tensor, values: Tensor, mask: Tensor, routing: Tensor) -> Tensor:
        """context [B, d]; keys, values [B, K, C, G, D]; mask [B, K, C]; routing scores [B, K] -> logits [B, K]."""
        query = self.query_proj(context).view(-1, *self.shape)
        weights = torch.einsum("bgd,bkcgd->bkcg", query, keys) * self.shape[1] ** -0.5
        weights = weights.masked_fill(~mask.unsqueeze(-1), -1e4).softmax(2)
        read = torch.einsum("bkcg,bkcgd->bkgd", weights, values).flatten(-2)
        document = self.document_proj(read)
        question = self.context_proj(context).unsqueeze(1).expand_as(document)
        hidden = torch.relu(self.hidden(torch.cat([question, document, question * document], -1)))
        return self.score(hidden).squeeze(-1) + self.routing_weight * routing


class Judge(nn.Module):
    """Whether a context says yes, no or nothing to its question, from the reader's first state alone."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.hidden = nn.Linear(config.hidden_size, config.hidden_size)
        self.judgement = nn.Linear(config.hidden_size, len(JUDGEMENTS))

    def forward(self, state: Tensor) -> Tensor:
        """state [B, d] -> logits [B, 3] over JUDGEMENTS."""
        return self.judgement(torch.tanh(self.hidden(state)))


class Heads(nn.Module):
    """All heads read the final states of the active context; position 0 stands for the whole of it."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        d = config.hidden_size
        self.document = DocumentHead(config)
        self.enough = nn.Linear(d, 1)
        self.relevance = nn.Linear(d, 1)
        nn.init.zeros_(self.relevance.weight)
        self.span = nn.Linear(d, 2)
        self.kind = nn.Linear(d, len(ANSWER_KINDS))

    def read(self, states: Tensor) -> Reading:
        """states [B, T, d] of [question ; evidence]."""
        start, end = self.span(states).unbind(-1)
        return Reading(start, end, self.kind(states[:, 0]))
