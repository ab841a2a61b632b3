"""The tokenizer of a checkpoint folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import CheckpointError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class TokenCounter:
    """Tokens of each text. It can be sent to another process, which needs no torch to use it."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer

    def __call__(self, texts: list[str]) -> list[int]:
        return [len(e.ids) for e in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def load_tokenizer(folder: Path) -> Tokenizer:
    """`tokenizer.json` of the folder, with padding and truncation off, whatever the file says.

    Raises CheckpointError when the file is missing or is not a tokenizer.
    """
    from tokenizers import Tokenizer

    path = Path(folder) / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_buffer(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror}") from None
    except Exception as error:  # For bad content the library raises Exception itself, ValueError in some versions.
        raise CheckpointError(f"{path}: not a tokenizer ({' '.join(str(error).split())})") from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
