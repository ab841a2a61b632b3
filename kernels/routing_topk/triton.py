"""Routing in Triton: dequantise, dot, max over query tokens and max per document in one pass over the keys.

Nothing the size of the chunks is written: scores meet in one int32 per (query, document) through atomic_max. Floats
are compared as integers of the same order, so the result does not depend on the order in which programs finish.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from kernels.routing_topk.query import fold_query
from kernels.routing_topk.select import from_ordered_bits, ordered_bits

BLOCK_C = 64
BLOCK_D = 64


@triton.jit
def routing_scores_kernel(
    vectors,  # float32 [Q, T, G * D]
    keys,  # [C, G, D]
    scales,  # [C, G], read only when HAS_SCALES
    chunk_document,  # int64 [C]
    ordered,  # int32 [Q, N], in and out
    n_queries,
    n_tokens,
    n_chunks,
    n_documents,
    G,
    D,
    HAS_SCALES: tl.constexpr,
    BLOCK_T: tl.constexpr,
    BLOCK_C: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    # Queries vary fastest, so that programs running together share a tile of keys in the cache.
    i_q = (tl.program_id(0) % n_queries).to(tl.int64)
    i_c = (tl.program_id(0) // n_queries).to(tl.int64)
    o_c = i_c * BLOCK_C + tl.arange(0, BLOCK_C)
    m_c = o_c < n_chunks

    b_best = tl.full([BLOCK_C], float("-inf"), dtype=tl.float32)
    for i_t in range(0, n_tokens, BLOCK_T):
        # Rows past the end repeat the last token: harmless under a maximum.
        o_t = tl.minimum(i_t + tl.arange(0, BLOCK_T), n_tokens - 1)
        b_score = tl.zeros([BLOCK_T, BLOCK_C], dtype=tl.float32)
        for i_g in range(0, G):
            b_dot = tl.zeros([BLOCK_T, BLOCK_C], dtype=tl.float32)
            for i_d in range(0, D, BLOCK_D):
                o_d = i_d + tl.arange(0, BLOCK_D)
                m_d = o_d < D
                p_q = vectors + ((i_q * n_tokens + o_t) * G + i_g)[:, None] * D + o_d[None, :]
                p_k = keys + (o_c * G + i_g)[None, :] * D + o_d[:, None]
                b_q = tl.load(p_q, mask=m_d[None, :], other=0.0)
                b_k = tl.load(p_k, mask=m_c[None, :] & m_d[:, None], other=0).to(tl.float32)
                # float32 products: tf32 would reorder close documents.
                b_dot += tl.dot(b_q, b_k, input_precision="ieee")
            if HAS_SCALES:
                b_scale = tl.load(scales + o_c * G + i_g, mask=m_c, other=0.0).to(tl.float32)
                b_dot *= b_scale[None, :]
            b_score += b_dot
        b_best = tl.maximum(b_best, tl.max(b_score, axis=0))

    b_bits = b_best.to(tl.int32, bitcast=True)
    b_ordered = b_bits ^ ((b_bits >> 31) & 0x7FFFFFFF)
    b_document = tl.load(chunk_document + o_c, mask=m_c, other=0)
    m_c = m_c & (b_document >= 0) & (b_document < n_documents)  # a wrong index must not become a stray write
    tl.atomic_max(ordered + i_q * n_documents + b_document, b_ordered, mask=m_c)


@torch.no_grad()
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
    """Score of every document, float32 [Q, n_documents]; see `kernels.routing_topk.routing_scores`."""
    n_chunks, n_groups, dim = keys.shape
    vectors, active = fold_query(query, query_mask, n_groups, query_reduce, scale)
    n_queries, n_tokens, _ = vectors.shape
    ordered = ordered_bits(vectors.new_full((n_queries, n_documents), -torch.inf))
    if n_chunks and n_queries:
        routing_scores_kernel[(n_queries * triton.cdiv(n_chunks, BLOCK_C),)](
            vectors,
            keys.contiguous(),
            keys if scales is None else scales.contiguous(),
            chunk_document.contiguous(),
            ordered,
            n_queries,
            n_tokens,
            n_chunks,
            n_documents,
            n_groups,
            dim,
            HAS_SCALES=scales is not None,
            # tl.dot wants at least 16 rows; beyond 64 the accumulators would leave the registers.
            BLOCK_T=min(64, max(16, triton.next_power_of_2(n_tokens))),
            BLOCK_C=BLOCK_C,
            BLOCK_D=BLOCK_D,
        )
    return from_ordered_bits(ordered).masked_fill_(~active[:, None], -torch.inf)
