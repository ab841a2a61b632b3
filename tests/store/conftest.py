from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from engine.model.states import DocumentStates, StateShape
from engine.store import NewDocument, NewSource, Store

SHAPE = StateShape(layers=3, router_heads=2, router_dim=5, kv_heads=2, head_dim=7, chunk_size=64)
WORDS = "amber basin cedar delta ember fjord grove haven inlet jetty knoll lagoon marsh notch orchard prairie".split()


class Maker:
    """Random sources and states; the same seed gives the same."""

    shape = SHAPE

    def __init__(self) -> None:
        self.random = random.Random(7)
        self.torch = torch.Generator().manual_seed(7)

    def states(self, n_tokens: int) -> DocumentStates:
        chunks = -(-n_tokens // SHAPE.chunk_size)
        router = torch.randn(SHAPE.layers, chunks, SHAPE.router_heads, SHAPE.router_dim, generator=self.torch)
        content = (2, SHAPE.layers, chunks, SHAPE.kv_heads, SHAPE.head_dim)
        keys, values = torch.randn(content, generator=self.torch)
        return DocumentStates(torch.nn.functional.normalize(router, dim=-1), keys, values, n_tokens)

    def words(self, count: int) -> str:
        return " ".join(self.random.choices(WORDS, k=count))

    def source(
        self, name: str, documents: int = 3, *, text: str | None = None, total: int | None = None, tokens: int = 0, **fields
    ) -> tuple[NewSource, list[NewDocument]]:
        """A source cut into equal documents."""
        text = text if text is not None else "\n".join(self.words(12) for _ in range(documents * 4))
        given = dict(root="/library", record=None, kind="text", title=name, content_hash=str(hash(text)), size=len(text))
        source = NewSource(
            **{**given, "mtime_ns": 1, **fields}, name=name, text=text, total_documents=documents if total is None else total
        )
        edges = [len(text) * i // max(documents, 1) for i in range(documents + 1)]
        made = [
            NewDocument(i, edges[i], edges[i + 1], f"{name} > {i}", self.states(tokens or self.random.randint(1, 300)))
            for i in range(documents)
        ]
        return source, made


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def store(tmp_path: Path):
    with Store.create(tmp_path / "memory", "tiny", "f" * 32, SHAPE) as made:
        yield made


@pytest.fixture
def joined():
    """RouterKeys -> all blocks' keys [L, C, W] and scales [L, C, G], and the document id of every chunk [C]."""

    def join(loaded):
        owners = [loaded.document_ids[b.first : b.first + b.documents][b.chunk_document] for b in loaded.blocks]
        keys, scales = torch.cat([b.keys for b in loaded.blocks], 1), torch.cat([b.scales for b in loaded.blocks], 1)
        return keys, scales, torch.cat(owners)

    return join
