"""8-bit multiplication against its definition, and against the floats it stands for."""

import pytest
import torch
from torch import nn

from engine.model import int8_linear
from engine.model.int8_linear import Int8Linear, in_eight_bits

SIZES = [(1, 1, 1), (3, 7, 5), (16, 64, 33), (129, 384, 1152)]


def definition(linear: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """Rows of x and of W rounded to 127 steps of their own, then multiplied exactly."""
    s, t = (m.abs().amax(1, keepdim=True).clamp_min(1e-12) / 127 for m in (x, linear.weight))
    q, w = (x / s).round().double(), (linear.weight / t).round().double()
    return (s * t.T * (q @ w.T)).float() + linear.bias


@pytest.mark.parametrize("rows, d_in, d_out", SIZES)
def test_equals_its_definition(rows, d_in, d_out):
    torch.manual_seed(rows)
    linear, x = nn.Linear(d_in, d_out), 3 * torch.randn(rows, d_in)
    got = Int8Linear(linear)(x)
    assert torch.allclose(got, definition(linear, x), rtol=1e-4, atol=1e-5)
    assert torch.nn.functional.cosine_similarity(got, linear(x), dim=0).mean() > 0.99 or rows < 16


def test_a_row_does_not_depend_on_the_others():
    linear, x = nn.Linear(24, 8), torch.randn(2, 5, 24)
    layer = Int8Linear(linear)
    whole = layer(x)
    x[1, 2] *= 1000
    again = layer(x)
    assert whole.shape == (2, 5, 8)
    assert torch.equal(again[0], whole[0]) and not torch.equal(again[1, 2], whole[1, 2])
    assert torch.equal(layer(x[:1]), again[:1])


def test_rows_and_weights_of_zeros():
    linear = nn.Linear(6, 4, bias=False)
    nn.init.zeros_(linear.weight)
    assert torch.equal(Int8Linear(linear)(torch.zeros(3, 6)), torch.zeros(3, 4))


def test_every_linear_below_is_replaced_and_nothing_else():
    module = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.ModuleDict({"inner": nn.Linear(4, 2)}))
    in_eight_bits(module)
    assert [type(m).__name__ for m in (module[0], module[1], module[2]["inner"])] == ["Int8Linear", "LayerNorm", "Int8Linear"]


def test_a_cpu_without_the_instructions_keeps_floats(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: False, raising=False)
    assert not int8_linear.pays()
    monkeypatch.delattr(torch.cpu, "_is_vnni_supported")
    assert not int8_linear.pays()
