from __future__ import annotations

import pytest
import torch

from kernels import chunk_lengths, chunk_pool

PACKS = [
    ([1], 64),
    ([5, 5, 10], 5),
    ([7, 1, 0, 12], 5),
    ([200], 7),
    ([3, 64, 65], 64),
    ([2, 3], 1),
]


def pool_by_slices(x: torch.Tensor, lengths: list[int], chunk_size: int) -> torch.Tensor:
    chunks = [c for document in x.split(lengths) for c in document.split(chunk_size) if len(c)]
    return torch.stack([c.double().mean(0) for c in chunks]).float()


@pytest.mark.parametrize("name", ["reference", "triton"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("lengths", "chunk_size"), PACKS)
def test_every_chunk_is_the_mean_of_its_tokens(implementation, name, dtype, lengths, chunk_size, device):
    x = torch.randn(sum(lengths), 3, 24, device=device).to(dtype)
    pooled = implementation("chunk_pool", name).chunk_pool(x, lengths, chunk_size)
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled, pool_by_slices(x, lengths, chunk_size))


@pytest.mark.parametrize("name", ["reference", "triton"])
def test_half_precision_sums_do_not_overflow_or_stall(implementation, name, device):
    x = torch.full((64, 8), 60000.0, dtype=torch.float16, device=device)  # the sum is far beyond float16
    pooled = implementation("chunk_pool", name).chunk_pool(x, [64], 64)
    assert torch.equal(pooled, x[:1].float())


@pytest.mark.parametrize("name", ["reference", "triton"])
def test_lengths_as_tensor_strided_input_and_no_tokens(implementation, name, device):
    pool = implementation("chunk_pool", name).chunk_pool
    x = torch.randn(24, 11, device=device).T
    expected = pool_by_slices(x, [4, 7], 3)
    torch.testing.assert_close(pool(x, torch.tensor([4, 7], device=device), 3), expected)
    assert pool(x[:0], [0, 0], 3).shape == (0, 24)


def test_gradient_spreads_evenly_over_a_chunk(device):
    x = torch.randn(7, 2, device=device, requires_grad=True)
    weights = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], device=device)
    (chunk_pool(x, [5, 2], 3) * weights).sum().backward()
    expected = [weights[0] / 3] * 3 + [weights[1] / 2] * 2 + [weights[2] / 2] * 2
    torch.testing.assert_close(x.grad, torch.stack(expected))


def test_chunk_lengths():
    assert chunk_lengths([0, 1, 64, 65], 64) == [0, 1, 1, 2]
    assert chunk_lengths(torch.tensor([6]), 5) == [2]


def test_wrong_lengths_are_refused():
    x = torch.zeros(4, 2)
    with pytest.raises(ValueError, match="sum to 3"):
        chunk_pool(x, [1, 2], 2)
    with pytest.raises(ValueError, match="chunk_size"):
        chunk_pool(x, [4], 0)
    with pytest.raises(ValueError, match="negative"):
        chunk_pool(x, [5, -1], 2)
