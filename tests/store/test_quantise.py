from __future__ import annotations

import pytest
import torch

from engine.store.quantise import dequantise, pack, quantise, unpack


@pytest.mark.parametrize("magnitude", [1e-6, 1e-3, 1.0, 1e4])
def test_every_element_is_within_half_a_step(magnitude):
    vectors = torch.randn(500, 3, 32, generator=torch.Generator().manual_seed(1)) * magnitude
    levels, scales = quantise(vectors)
    assert levels.dtype == torch.int8 and scales.dtype == torch.float16
    error = (dequantise(levels, scales) - vectors).abs()
    assert (error <= scales.float().unsqueeze(-1) * 0.5001).all()


def test_directions_survive():
    vectors = torch.randn(2000, 32, generator=torch.Generator().manual_seed(2))
    back = dequantise(*quantise(vectors))
    assert torch.cosine_similarity(vectors, back, dim=-1).min() > 1 - 1e-4
    queries = torch.nn.functional.normalize(torch.randn(16, 32, generator=torch.Generator().manual_seed(3)), dim=-1)
    unit = torch.nn.functional.normalize(vectors, dim=-1)
    assert (queries @ (dequantise(*quantise(unit)) - unit).T).square().mean().sqrt() < 1e-3


def test_zero_vectors_stay_zero():
    vectors = torch.zeros(2, 4, 8)
    vectors[1] = 1.0
    levels, scales = quantise(vectors)
    assert (scales[0] == 0).all() and (dequantise(levels, scales)[0] == 0).all()
    assert torch.allclose(dequantise(levels, scales)[1], vectors[1], rtol=1e-3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e9])
def test_values_that_no_scale_can_hold_are_refused(bad):
    vectors = torch.ones(2, 4)
    vectors[1, 2] = bad
    with pytest.raises(ValueError, match="finite"):
        quantise(vectors)


def test_a_record_gives_back_keys_and_values(make):
    states = make.states(200)
    router, scales, record = pack(states, make.shape)
    keys, values = unpack(bytearray(record), 4, make.shape)
    assert keys.shape == states.keys.shape
    assert torch.equal(keys, dequantise(*quantise(states.keys)))
    assert torch.equal(values, dequantise(*quantise(states.values)))
    assert router.shape == (3, 4, 10) and scales.shape == (3, 4, 2)


def test_states_of_another_shape_are_refused(make):
    states = make.states(200)
    states.n_tokens = 500
    with pytest.raises(ValueError, match="expected"):
        pack(states, make.shape)
