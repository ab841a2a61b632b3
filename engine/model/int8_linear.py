"""Linear layers multiplied in 8-bit integers, on CPUs that do so several times faster than in floats.

Weights that are stored in 8 bits a row lose nothing by it; each row of the input is rounded to its own scale, so that
a result does not depend on what else is in the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Int8Linear(nn.Module):
    """y = x W^T + b by y_ij = s_i t_j sum_k q_ik w_jk + b_j, with s_i the scale of row i of x and t_j of row j of W, each
    max|row| / 127 (vector-wise quantisation, Dettmers et al. 2022)."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        weight = linear.weight.detach()
        self.scale = weight.abs().amax(1).clamp_min(1e-12) / 127
        self.weight = (weight / self.scale[:, None]).round().to(torch.int8).t().contiguous()
        self.bias = linear.bias.detach() if linear.bias is not None else torch.zeros_like(self.scale)

    def forward(self, x: Tensor) -> Tensor:
        """[..., d_in] -> [..., d_out], float32."""
        rows = x.reshape(-1, x.shape[-1])
        scale = rows.abs().amax(1, keepdim=True).clamp_min_(1e-12).mul_(1 / 127)
        whole = torch._int_mm((rows / scale).round_().to(torch.int8), self.weight)
        return torch.addcmul(self.bias, whole.float().mul_(scale), self.scale).view(*x.shape[:-1], -1)


def pays() -> bool:
    """Whether this CPU has instructions for sums of 8-bit products (VNNI); others would gain little."""
    told = getattr(torch.cpu, "_is_vnni_supported", None)
    return bool(told and told()) and hasattr(torch, "_int_mm")


def in_eight_bits(module: nn.Module) -> None:
    """Replace every nn.Linear below `module`."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, Int8Linear(child))
        else:
            in_eight_bits(child)
