from __future__ import annotations

import pytest
import torch

from kernels import routing_scores, routing_topk
from kernels.routing_topk import cpu, reference
from kernels.routing_topk.select import best_documents, from_ordered_bits, ordered_bits

IMPLEMENTATIONS = ["reference", "cpu", "triton"]
# Q, Tq, H, G, D, C, documents
SIZES = [(1, 1, 1, 1, 24, 1, 1), (2, 5, 4, 2, 24, 150, 7), (1, 17, 6, 2, 70, 65, 65), (3, 3, 2, 2, 16, 90, 1)]


def make_case(q, t, h, g, d, c, n, dtype=torch.float32, device="cpu"):
    rng = torch.Generator().manual_seed(q + 10 * t + 100 * c)
    query = torch.randn(q, t, h, d, generator=rng)
    mask = torch.rand(q, t, generator=rng) < 0.7
    mask[:, t // 2] = True
    scales = None
    if dtype == torch.int8:
        keys = torch.randint(-127, 128, (c, g, d), generator=rng, dtype=torch.int8)
        scales = torch.rand(c, g, generator=rng) / 127
    else:
        keys = torch.randn(c, g, d, generator=rng).to(dtype)
    document = torch.randint(0, n, (c,), generator=rng)
    return tuple(x if x is None else x.to(device) for x in (query, mask, keys, scales, document))


def scores_by_loops(query, mask, keys, scales, document, n_documents, query_reduce, scale):
    """The formula, one dot product at a time, in float64."""
    keys = keys.double() if scales is None else keys.double() * scales.double()[..., None]
    group_size = query.shape[2] // keys.shape[1]
    scores = torch.full((len(query), n_documents), -torch.inf, dtype=torch.float64)
    for i, q in enumerate(query.double()):
        tokens = q[mask[i]]
        if query_reduce == "mean":
            tokens = tokens.mean(0, keepdim=True)
        for c, key in enumerate(keys):
            per_head = key.repeat_interleave(group_size, dim=0)  # [H, D]
            best = ((tokens * per_head).sum(2).mean(1) * scale).max()
            scores[i, document[c]] = torch.maximum(scores[i, document[c]], best.cpu())
    return scores.float().to(query.device)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("query_reduce", ["max", "mean"])
@pytest.mark.parametrize("dtype", [torch.int8, torch.float16, torch.float32])
@pytest.mark.parametrize("size", SIZES)
def test_scores_follow_the_formula(implementation, name, query_reduce, dtype, size, device):
    case, n = make_case(*size, dtype=dtype, device=device), size[-1]
    scores = implementation("routing_topk", name).routing_scores(*case, n, query_reduce, 0.5)
    expected = scores_by_loops(*case, n, query_reduce, 0.5)
    torch.testing.assert_close(scores, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_scales_apply_to_float_keys_and_may_be_negative(implementation, name, device):
    query, mask, keys, _, document = make_case(2, 4, 4, 2, 24, 40, 5, device=device)
    scales = torch.randn(40, 2, device=device)
    scores = implementation("routing_topk", name).routing_scores(
        query, mask, keys, scales, document, 5, "max"
    )
    expected = scores_by_loops(query, mask, keys, scales, document, 5, "max", 1.0)
    torch.testing.assert_close(scores, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["reference", "cpu"])
@pytest.mark.parametrize("tile", [1, 7, 64])
def test_tiles_do_not_change_the_scores(implementation, name, tile, monkeypatch):
    module = implementation("routing_topk", name)
    case = make_case(2, 3, 4, 2, 24, 64, 9, dtype=torch.int8)
    whole = module.routing_scores(*case, 9, "max")
    monkeypatch.setattr(module, "TILE", tile)
    torch.testing.assert_close(module.routing_scores(*case, 9, "max"), whole)


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_spans_side_by_side_give_the_same_scores_in_every_mode(mode, monkeypatch):
    case = make_case(2, 3, 4, 2, 24, 150, 9, dtype=torch.int8)
    whole = cpu.routing_scores(*case, 9, "max")
    monkeypatch.setattr(cpu, "TILE", 4)
    monkeypatch.setattr(cpu, "TILES", 5)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    with mode():
        torch.testing.assert_close(cpu.routing_scores(*case, 9, "max"), whole)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("query_reduce", ["max", "mean"])
def test_masked_tokens_count_for_nothing(implementation, name, query_reduce, device):
    query, mask, keys, scales, document = make_case(2, 6, 2, 1, 24, 30, 4, device=device)
    mask = torch.tensor([[0, 1, 1, 0, 0, 1], [0, 0, 0, 0, 0, 0]], dtype=torch.bool, device=device)
    scores = implementation("routing_topk", name).routing_scores
    query[0, 0] = 1e6
    query[0, 3] = torch.nan
    padded = scores(query, mask, keys, scales, document, 4, query_reduce)
    kept = query[:1, mask[0]]
    alone = scores(
        kept, torch.ones(1, 3, dtype=torch.bool, device=device), keys, scales, document, 4, query_reduce
    )
    torch.testing.assert_close(padded[:1], alone, rtol=1e-5, atol=1e-5)
    assert (padded[1] == -torch.inf).all()  # no active token


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_documents_without_chunks_and_a_memory_without_chunks(implementation, name, device):
    scores = implementation("routing_topk", name).routing_scores
    query, mask, keys, scales, _ = make_case(1, 2, 2, 1, 24, 3, 1, device=device)
    document = torch.tensor([4, 1, 4], device=device)
    found = scores(query, mask, keys, scales, document, 6, "max")
    assert torch.isfinite(found[0]).nonzero().flatten().tolist() == [1, 4]
    empty = scores(query, mask, keys[:0], scales, document[:0], 2, "max")
    assert empty.tolist() == [[-torch.inf] * 2]


@pytest.mark.parametrize("environment", ["auto", "reference"])
def test_topk_is_sorted_clamped_and_breaks_ties_by_document(environment, monkeypatch, device):
    monkeypatch.setenv("MSA_KERNELS", environment)
    values = torch.tensor([0.5, 2.0, -1.0, 2.0, 0.5, 0.0, -0.0], device=device)
    document = torch.tensor([6, 3, 0, 1, 5, 4, 2], device=device)
    query, mask = (
        torch.ones(1, 1, 1, 1, device=device),
        torch.ones(1, 1, dtype=torch.bool, device=device),
    )
    arguments = (query, mask, values[:, None, None], None, document, 7)
    scores, documents = routing_topk(*arguments, 100, "max")
    assert documents.tolist() == [[1, 3, 5, 6, 2, 4, 0]]
    assert scores.tolist() == [[2.0, 2.0, 0.5, 0.5, 0.0, 0.0, -1.0]]
    assert documents.dtype == torch.int64
    assert routing_topk(*arguments, 3, "max")[1].tolist() == [[1, 3, 5]]
    assert routing_topk(*arguments, 0, "max")[1].shape == (1, 0)


def test_ties_among_many_documents_resolve_as_a_stable_sort():
    scores = torch.randint(-3, 4, (3, 500)).float()
    scores[0, ::7] = -torch.inf
    expected = scores.sort(dim=1, descending=True, stable=True)
    for k in (1, 16, 500):
        best, documents = best_documents(scores, k)
        assert torch.equal(best, expected.values[:, :k])
        assert torch.equal(documents, expected.indices[:, :k])


def test_ordered_bits_keep_the_order_of_floats():
    values = torch.tensor([-torch.inf, -3e38, -1.0, -1e-45, 0.0, 1e-45, 1.0, 3e38, torch.inf])
    ordered = ordered_bits(values)
    assert torch.equal(ordered, ordered.sort().values) and ordered.unique().numel() == 9
    assert torch.equal(from_ordered_bits(ordered), values)


def test_wrong_arguments_are_refused():
    query, mask, keys, scales, document = make_case(1, 2, 4, 2, 24, 5, 3, dtype=torch.int8)
    with pytest.raises(ValueError, match="query_reduce"):
        routing_scores(query, mask, keys, scales, document, 3, "sum")
    with pytest.raises(ValueError, match="do not fit keys"):
        routing_scores(query[:, :, :3], mask, keys, scales, document, 3, "max")
    with pytest.raises(ValueError, match="query_mask"):
        routing_scores(query, mask[:, :1], keys, scales, document, 3, "max")
    with pytest.raises(ValueError, match="scales"):
        routing_scores(query, mask, keys, scales[:, :1], document, 3, "max")
    with pytest.raises(ValueError, match="chunk_document"):
        routing_scores(query, mask, keys, scales, document[:2], 3, "max")
    with pytest.raises(ValueError, match="k must"):
        routing_topk(query, mask, keys, scales, document, 3, -1, "max")


@pytest.mark.parametrize(("tile", "tiles"), [(4, 3), (1, 1), (7, 2), (64, 64)])
def test_tiles_and_groups_of_tiles_change_nothing(monkeypatch, tile, tiles):
    generator = torch.Generator().manual_seed(9)
    keys = torch.randint(-127, 128, (53, 2, 8), dtype=torch.int8, generator=generator)
    scales = torch.rand(53, 2, generator=generator)
    owners = torch.randint(0, 20, (53,), generator=generator)
    query, mask = torch.randn(3, 5, 4, 8, generator=generator), torch.rand(3, 5, generator=generator) > 0.3
    mask[:, 0] = True
    monkeypatch.setattr(cpu, "TILE", tile)
    monkeypatch.setattr(cpu, "TILES", tiles)
    for reduce in ("mean", "max"):
        expected = reference.routing_scores(query, mask, keys, scales, owners, 21, reduce)
        assert torch.allclose(cpu.routing_scores(query, mask, keys, scales, owners, 21, reduce), expected, rtol=1e-4, atol=1e-3)
