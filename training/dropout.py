"""Dropout for training alone: what every sublayer of the reader and of the MSA layers adds, and the embeddings.

The engine's modules have none, since nothing at run time may be left to chance; hooks put it behind them.
"""

from __future__ import annotations

from torch import nn
from torch.nn import functional as F

from engine.model.encoder import MSAEncoder

ADDS = ("o_proj", "down_proj", "embedding_norm")
"""The last module of each sublayer, whose output joins the residual stream; and the embeddings."""


def add_dropout(model: MSAEncoder, rate: float) -> None:
    """From here on, while `model.training`, zero `rate` of what the reading side's sublayers add (Srivastava et al. 2014)."""
    for stack in (model.backbone if model.reader is None else model.reader, model.layers):
        for name, module in stack.named_modules():
            if name.rpartition(".")[2] in ADDS:
                module.register_forward_hook(_hook(rate))


def _hook(rate: float):
    def drop(module: nn.Module, _inputs: tuple, output):
        return F.dropout(output, rate, module.training)

    return drop
