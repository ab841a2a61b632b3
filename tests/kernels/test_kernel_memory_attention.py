from __future__ import annotations

import pytest
import torch

from kernels import memory_attention

IMPLEMENTATIONS = ["reference", "cpu", "triton"]
# B, Tq, Tl, M, H, G, D
SIZES = [
    (1, 1, 1, 0, 1, 1, 24),
    (1, 1, 1, 5, 6, 2, 24),
    (2, 7, 7, 13, 4, 4, 16),
    (2, 19, 19, 70, 6, 2, 24),
    (1, 3, 70, 0, 4, 2, 40),
]


def make_case(b, t, n_local, m, h, g, d, dtype=torch.float32, device="cpu", quantised=False):
    rng = torch.Generator().manual_seed(t + 10 * m + 100 * h)
    q = torch.randn(b, t, h, d, generator=rng).to(dtype)
    local_k, local_v = torch.randn(2, b, n_local, g, d, generator=rng).to(dtype)
    memory_k, memory_v = torch.randn(2, b, m, g, d, generator=rng).to(dtype)
    options = {}
    if quantised:
        memory_k, memory_v = torch.randint(-127, 128, (2, b, m, g, d), generator=rng, dtype=torch.int8)
        k_scale, v_scale = torch.rand(2, b, m, g, generator=rng) / 50
        options = {"memory_k_scale": k_scale.to(device), "memory_v_scale": v_scale.to(device)}
    memory_mask = torch.rand(b, m, generator=rng) < 0.7
    local_mask = torch.rand(b, n_local, generator=rng) < 0.8
    tensors = (q, local_k, local_v, memory_k, memory_v, memory_mask, local_mask)
    return tuple(x.to(device) for x in tensors), options


def attend_by_rows(case, causal, scale, memory_k_scale=None, memory_v_scale=None):
    """One softmax for each query token and head, over the visible keys only, in float64."""
    q, local_k, local_v, memory_k, memory_v, memory_mask, local_mask = (
        x if x.dtype == torch.bool else x.double().cpu() for x in case
    )
    if memory_k_scale is not None:
        memory_k = memory_k * memory_k_scale.double().cpu()[..., None]
        memory_v = memory_v * memory_v_scale.double().cpu()[..., None]
    out = torch.zeros_like(q)
    for b, t, h in torch.cartesian_prod(*map(torch.arange, q.shape[:3])).tolist():
        g = h // (q.shape[2] // local_k.shape[2])
        position = t + local_k.shape[1] - q.shape[1]
        seen = local_mask[b].cpu().clone()
        if causal:
            seen[position + 1 :] = False
        remembered = memory_mask[b].cpu()
        k = torch.cat([memory_k[b, remembered, g], local_k[b, seen, g]])
        v = torch.cat([memory_v[b, remembered, g], local_v[b, seen, g]])
        if len(k):
            out[b, t, h] = (k @ q[b, t, h] * scale).softmax(0) @ v
    return out.float().to(case[0].device)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("quantised", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_output_follows_the_formula(implementation, name, causal, quantised, size, device):
    case, options = make_case(*size, device=device, quantised=quantised)
    out = implementation("memory_attention", name).memory_attention(*case, causal, 0.3, **options)
    expected = attend_by_rows(case, causal, 0.3, **options)
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("quantised", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 4e-3), (torch.bfloat16, 3e-2)])
def test_half_precision_keeps_its_dtype_and_stays_close(implementation, name, quantised, dtype, tolerance, device):
    if name == "triton" and dtype == torch.bfloat16 and device == "cpu":
        pytest.skip("Triton's interpreter multiplies the bit patterns of bfloat16")
    case, options = make_case(1, 9, 9, 20, 4, 2, 24, dtype=dtype, device=device, quantised=quantised)
    out = implementation("memory_attention", name).memory_attention(*case, True, **options)
    assert out.dtype == dtype
    expected = attend_by_rows(case, True, 24**-0.5, **options)
    torch.testing.assert_close(out.float(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_what_masked_places_hold_does_not_matter(implementation, name, device):
    attend = implementation("memory_attention", name).memory_attention
    case, _ = make_case(2, 6, 6, 9, 4, 2, 24, device=device)
    q, local_k, local_v, memory_k, memory_v, memory_mask, local_mask = case
    clean = attend(*case, True)
    for x, mask in ((local_k, local_mask), (local_v, local_mask), (memory_k, memory_mask), (memory_v, memory_mask)):
        x[~mask] = torch.nan
    torch.testing.assert_close(attend(*case, True), clean)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("n_memory", [0, 3])
def test_rows_that_see_nothing_are_zero(implementation, name, n_memory, device):
    case, _ = make_case(2, 4, 4, n_memory, 2, 1, 24, device=device)
    *_, memory_mask, local_mask = case
    memory_mask[:] = False
    local_mask[:] = torch.tensor([[0, 0, 1, 1], [0, 0, 0, 0]], dtype=torch.bool, device=device)
    out = implementation("memory_attention", name).memory_attention(*case, True)
    assert torch.isfinite(out).all()
    assert out.abs().sum((2, 3)).gt(0).tolist() == [[False, False, True, True], [False] * 4]


@pytest.mark.parametrize("name", ["reference", "cpu"])
def test_gradients_match_plain_softmax_and_stay_finite_for_empty_rows(implementation, name):
    case, _ = make_case(1, 4, 4, 3, 2, 2, 8)
    q, local_k, local_v, memory_k, memory_v, memory_mask, local_mask = case
    leaves = [x.requires_grad_() for x in (q, local_k, local_v, memory_k, memory_v)]
    memory_mask[:] = torch.tensor([True, True, False])
    local_mask[:] = True
    out = implementation("memory_attention", name).memory_attention(*case, True)
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(0))
    actual = torch.autograd.grad((out * weights).sum(), leaves)

    k, v = torch.cat([memory_k[:, :2], local_k], 1), torch.cat([memory_v[:, :2], local_v], 1)
    scores = torch.einsum("bthd,bshd->bhts", q, k) * 8**-0.5
    visible = torch.cat([torch.ones(4, 2), torch.ones(4, 4).tril()], 1).bool()
    plain = scores.masked_fill(~visible, -torch.inf).softmax(-1) @ v.transpose(1, 2)
    expected = torch.autograd.grad((plain.transpose(1, 2) * weights).sum(), leaves)
    torch.testing.assert_close(actual, expected)

    memory_mask[:], local_mask[:] = False, False
    out = implementation("memory_attention", name).memory_attention(*case, True)
    for gradient in torch.autograd.grad(out.sum(), leaves):
        assert torch.equal(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("environment", ["auto", "reference"])
def test_cached_local_keys_give_the_last_rows_of_the_full_pass(environment, monkeypatch, device):
    monkeypatch.setenv("MSA_KERNELS", environment)
    case, _ = make_case(2, 8, 8, 5, 4, 2, 24, device=device)
    full = memory_attention(*case, True)
    last = memory_attention(case[0][:, -3:], *case[1:], True)
    torch.testing.assert_close(last, full[:, -3:], rtol=1e-4, atol=1e-5)


def test_wrong_shapes_are_refused():
    case, _ = make_case(1, 4, 4, 3, 4, 2, 8)
    q, local_k, local_v, memory_k, memory_v, memory_mask, local_mask = case
    with pytest.raises(ValueError, match="do not fit local keys"):
        memory_attention(q[:, :, :3], *case[1:], True)
    with pytest.raises(ValueError, match="do not fit local keys"):
        memory_attention(q, local_k[:, :2], local_v[:, :2], memory_k, memory_v, memory_mask, local_mask[:, :2], True)
    with pytest.raises(ValueError, match="local_mask"):
        memory_attention(*case[:-1], local_mask[:, :2], True)
    with pytest.raises(ValueError, match="memory values"):
        memory_attention(q, local_k, local_v, memory_k, memory_v[:, :2], memory_mask, local_mask, True)
    with pytest.raises(ValueError, match="memory scales"):
        memory_attention(*case, True, memory_k_scale=torch.ones(1, 3, 1))
    with pytest.raises(ValueError, match="memory keys"):
        memory_attention(q, local_k, local_v, memory_k[..., :4], memory_v, memory_mask, local_mask, True)
    with pytest.raises(ValueError, match="memory_mask"):
        memory_attention(q, local_k, local_v, memory_k, memory_v, memory_mask[:, :1], local_mask, True)
