"""The interpreter accepts what the compiler refuses, so each kernel is also compiled to machine code, without a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPILE = """
import sys
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from kernels.{operation}.triton import {kernel} as kernel

pointers, constants = {pointers}, {constants}
signature = {{n: "constexpr" if n in constants else pointers.get(n, "i32") for n in kernel.arg_names}}
constants = {{(kernel.arg_names.index(n),): value for n, value in constants.items()}}
source = ASTSource(kernel, signature=signature, constexprs=constants)
compiled = triton.compile(source, target=GPUTarget("cuda", 80, 32))
print("cubin" in compiled.asm, compiled.metadata.shared)
"""
POOL = {"x": "*bf16", "starts": "*i64", "counts": "*i64", "out": "*fp32"}
ROUTE = {"vectors": "*fp32", "keys": "*i8", "scales": "*fp32", "chunk_document": "*i64", "ordered": "*i32"}
ATTEND = dict.fromkeys(("q", "local_k", "local_v", "out"), "*bf16") | {
    "memory_k": "*i8",
    "memory_v": "*i8",
    "memory_k_scale": "*fp32",
    "memory_v_scale": "*fp32",
    "memory_mask": "*i1",
    "local_mask": "*i1",
    "scale": "fp32",
}
# An argument equal to 1 is compiled in: one query, one decoded token.
KERNELS = {
    "chunk_pool": ("chunk_pool_kernel", POOL, {"BLOCK_T": 16, "BLOCK_F": 128}),
    "routing_topk": (
        "routing_scores_kernel",
        ROUTE,
        {"n_queries": 1, "n_tokens": 1, "HAS_SCALES": True, "BLOCK_T": 16, "BLOCK_C": 64, "BLOCK_D": 64},
    ),
    "memory_attention": (
        "memory_attention_kernel",
        ATTEND,
        {"n_tokens": 1, "R": 3, "CAUSAL": True, "HAS_K_SCALE": True, "HAS_V_SCALE": True}
        | {"BLOCK_M": 32, "BLOCK_N": 64, "BLOCK_D": 64},
    ),
}


@pytest.mark.parametrize("operation", KERNELS)
def test_kernel_compiles_to_machine_code(operation, tmp_path):
    pytest.importorskip("triton")
    kernel, pointers, constants = KERNELS[operation]
    code = COMPILE.format(operation=operation, kernel=kernel, pointers=pointers, constants=constants)
    environment = os.environ | {"TRITON_CACHE_DIR": str(tmp_path)}
    environment.pop("TRITON_INTERPRET", None)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    has_code, shared_bytes = done.stdout.split()
    assert has_code == "True"
    assert int(shared_bytes) <= 99 * 1024  # what the smaller current GPUs give one program
