from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from tiny import CONFIG, save_model, tokenizer, write_files  # noqa: E402

from engine import Memory  # noqa: E402
from engine.model.config import ModelConfig  # noqa: E402
from engine.model.inputs import EncoderInputs  # noqa: E402


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model, whose states have another shape and whose documents are shorter."""
    return save_model(tmp_path_factory.mktemp("models") / "other", 1, name="other", head_dim=4, max_document_tokens=64)


@pytest.fixture(scope="session")
def inputs() -> EncoderInputs:
    words = tokenizer()
    return EncoderInputs(words, ModelConfig.from_dict({**CONFIG, "vocab_size": words.get_vocab_size()}))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return write_files(tmp_path / "files")


@pytest.fixture
def open_memory(tmp_path: Path, model_folder: Path) -> Callable[..., Memory]:
    """open_memory(...) opens the test's one memory with the tiny model; it need not exist."""
    opened = []

    def open_one(model: Path = model_folder) -> Memory:
        opened.append(Memory.open(tmp_path / "memory", model=model, device="cpu", create=True))
        return opened[-1]

    yield open_one
    for memory in opened:
        memory.close()


@pytest.fixture
def memory(open_memory: Callable[..., Memory], files: Path) -> Memory:
    """A memory that holds the files."""
    made = open_memory()
    made.ingest([files])
    return made
