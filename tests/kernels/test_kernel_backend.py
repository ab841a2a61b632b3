from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import kernels


ROOT = Path(__file__).resolve().parents[2]


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def test_the_environment_overrules_the_device(monkeypatch):
    monkeypatch.delenv("MSA_KERNELS", raising=False)
    assert kernels.backend("cpu") == "cpu"
    monkeypatch.setenv("MSA_KERNELS", "reference")
    assert kernels.backend("cpu") == kernels.backend(torch.device("cuda", 0)) == "reference"
    monkeypatch.setenv("MSA_KERNELS", "fast")
    with pytest.raises(ValueError, match="MSA_KERNELS"):
        kernels.backend("cpu")


def test_cuda_takes_triton_when_it_can_be_imported(monkeypatch):
    pytest.importorskip("triton")
    monkeypatch.delenv("MSA_KERNELS", raising=False)
    assert kernels.backend("cuda") == "triton"


def test_importing_kernels_neither_imports_nor_needs_triton():
    code = "import sys; {} import kernels; print('triton' in sys.modules, kernels.backend('cuda'))"
    absent = run_python(code.format("sys.modules['triton'] = None;"))
    assert absent.split()[1] == "cpu"
    assert run_python("import sys, kernels; print('triton' in sys.modules)").strip() == "False"


@pytest.mark.parametrize("environment", ["auto", "reference"])
def test_every_operation_runs_where_it_is_dispatched(environment, monkeypatch, device):
    monkeypatch.setenv("MSA_KERNELS", environment)
    x = torch.randn(10, 2, 8, device=device)
    pooled = kernels.chunk_pool(x, [6, 4], 4)
    assert pooled.shape == (3, 2, 8)
    document = torch.tensor([0, 0, 1], device=device)
    yes = torch.ones(1, 10, dtype=torch.bool, device=device)
    scores, documents = kernels.routing_topk(x[None], yes, pooled, None, document, 2, 1, "max")
    assert scores.shape == documents.shape == (1, 1)
    out = kernels.memory_attention(x[None], x[None], x[None], pooled[None], pooled[None], yes[:, :3], yes, True)
    assert out.shape == (1, 10, 2, 8)
