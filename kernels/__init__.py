"""Tensor operations of Memory Sparse Attention, each with a plain torch reference that specifies it.

    chunk_pool         ragged mean pooling of K, V and router keys over fixed-size chunks
    routing_topk       query tokens against all router keys, reduced to the k best documents
    memory_attention   active tokens over [pooled memory ; local context], one softmax

The implementation is picked by the device of the tensors; `backend(device)` says which one that is.
"""

from kernels.backend import backend
from kernels.chunk_pool import chunk_lengths, chunk_pool
from kernels.memory_attention import memory_attention
from kernels.routing_topk import routing_scores, routing_topk

__all__ = [
    "backend",
    "chunk_lengths",
    "chunk_pool",
    "memory_attention",
    "routing_scores",
    "routing_topk",
]
