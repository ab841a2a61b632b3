"""routing_topk: a question's router queries against every router key, on the best implementation for the device."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from kernels.backend import backend
from kernels.routing_topk import cpu, reference
from kernels.routing_topk.select import best_documents

__all__ = ["routing_scores", "routing_topk"]


def routing_scores(
    query: Tensor,
    query_mask: Tensor,
    keys: Tensor,
    scales: Tensor | None,
    chunk_document: Tensor,
    n_documents: int,
    query_reduce: str,
    scale: float = 1.0,
) -> Tensor:
    """Best score of every document for every query, float32 [Q, n_documents].

        S[q, c] = max over active tokens t of  scale * mean over heads h of  query[q, t, h] . key[c, h // (H / G)]
        s[q, d] = max over the chunks c of document d of  S[q, c]

    query: [Q, Tq, H, D], L2-normalised per head for cosine routing. query_mask: bool [Q, Tq], True where a token
    routes. keys: int8, float16 or float32 [C, G, D]. scales: [C, G] factors of the keys, or None.
    chunk_document: int64 [C], the document of each chunk, in any order. query_reduce: "max" as above, or "mean",
    which averages the active tokens first. A document without chunks scores -inf, and so does everything for a
    query without active tokens. Keys are dequantised a tile at a time: peak memory does not grow with C beyond
    the result. Not differentiable.
    Raises ValueError for an unknown `query_reduce` or shapes that do not fit; an index outside
    0..n_documents-1 in `chunk_document` is the caller's fault: RuntimeError on a CPU, ignored by Triton.
    """
    _check(query, query_mask, keys, scales, chunk_document, query_reduce)
    return _implementation(query)(
        query, query_mask, keys, scales, chunk_document, n_documents, query_reduce, scale
    )


def routing_topk(
    query: Tensor,
    query_mask: Tensor,
    keys: Tensor,
    scales: Tensor | None,
    chunk_document: Tensor,
    n_documents: int,
    k: int,
    query_reduce: str,
    scale: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """The k best documents of every query: (scores float32 [Q, k], documents int64 [Q, k]), best first.

    Other arguments as for `routing_scores`. Equal scores come smaller document first. k is clamped to
    `n_documents`, and a document scored -inf is returned when nothing better is left.
    Raises ValueError as `routing_scores`, and for k below 0.
    """
    if k < 0:
        raise ValueError(f"k must not be negative, not {k}")
    scores = routing_scores(query, query_mask, keys, scales, chunk_document, n_documents, query_reduce, scale)
    select = reference.best_documents if backend(query.device) == "reference" else best_documents
    return select(scores, min(k, n_documents))


def _implementation(query: Tensor) -> Callable[..., Tensor]:
    name = backend(query.device)
    if name == "triton":
        from kernels.routing_topk import triton

        return triton.routing_scores
    return cpu.routing_scores if name == "cpu" else reference.routing_scores


def _check(
    query: Tensor,
    query_mask: Tensor,
    keys: Tensor,
    scales: Tensor | None,
    chunk_document: Tensor,
    query_reduce: str,
) -> None:
    if query_reduce not in ("max", "mean"):
        raise ValueError(f"query_reduce must be 'max' or 'mean', not {query_reduce!r}")
    if query.ndim != 4 or keys.ndim != 3 or query.shape[3] != keys.shape[2] or query.shape[2] % keys.shape[1]:
        raise ValueError(f"queries {list(query.shape)} do not fit keys {list(keys.shape)}")
    if query_mask.shape != query.shape[:2]:
        raise ValueError(f"query_mask {list(query_mask.shape)} does not fit queries {list(query.shape)}")
    if scales is not None and scales.shape != keys.shape[:2]:
        raise ValueError(f"scales {list(scales.shape)} do not fit keys {list(keys.shape)}")
    if chunk_document.shape != keys.shape[:1]:
        raise ValueError(f"chunk_document {list(chunk_document.shape)} does not fit keys {list(keys.shape)}")
