"""A tiny random encoder with the bundled model's layout, and a small folder of files of several kinds."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from engine.model.checkpoint import save_quantised
from engine.model.config import ModelConfig
from engine.model.encoder import MSAEncoder

CONFIG = {
    "model_type": "msa_encoder",
    "name": "tiny",
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "backbone_layers": 2,
    "backbone_heads": 4,
    "backbone_intermediate_size": 48,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "intermediate_size": 48,
    "max_position_embeddings": 512,
    "max_document_tokens": 128,
    "max_title_tokens": 12,
    "max_question_tokens": 32,
    "msa_config": {
        "router_layer_idx": "2",
        "top_k_docs": 4,
        "pooling_kernel_size": 16,
        "query_reduce_method": "max",
        "aux_loss_method": "INFONCE",
        "router_heads": 1,
        "router_kv_heads": 1,
        "router_head_dim": 32,
    },
}
# Whatever such a model reads counts as an answer.
SURE = {"answer": {"reading": 0.0, "choice": 0.0, "agree": 0.0, "hop": 0.0, "enough": 0.0, "bias": 3.0}}

HANDBOOK = """# Handbook

## Leave

Five days of leave carry over into the next year. The rest lapses in March.

## Travel

Trains are booked by Mina Okafor. Flights need the approval of the head of the office.
"""
NOTES = "Mina Okafor works in Lisbon.\r\n\r\nHer desk is number 14; the key hangs at the door.\r\n"
CODE = '''"""Retries."""

LIMIT = 4


def retry(call, times=LIMIT):
    """Call again until it works."""
    for _ in range(times):
        if call():
            return True
    return False
'''
PAGE = "<html><head><title>Harbour</title></head><body>\n<h1>Tides</h1>\n<p>High water at noon.</p>\n</body></html>\n"
RECORDS = [
    {"id": "a1", "title": "Orchid", "text": "The orchid blooms in May."},
    {"id": "b2", "title": "Fern", "text": "The fern needs shade and water."},
]
TEXT = f"{HANDBOOK} {NOTES} {CODE} {PAGE} {RECORDS} who where when what"
WORDS = sorted({word.lower() for word in re.findall(r"\w+", TEXT)})


def tokenizer() -> Tokenizer:
    """WordPiece: the words above, then letters."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *string.punctuation, *string.digits, *string.ascii_lowercase]
    pieces += [f"##{c}" for c in string.ascii_lowercase + string.digits]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces + WORDS))}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


def save_model(folder: Path, seed: int = 0, policy: dict | None = None, **changes: object) -> Path:
    folder.mkdir(parents=True)
    words = tokenizer()
    raw = {**CONFIG, "vocab_size": words.get_vocab_size(), **changes}
    (folder / "config.json").write_text(json.dumps(raw))
    (folder / "policy.json").write_text(json.dumps(SURE if policy is None else policy))
    words.save(str(folder / "tokenizer.json"))
    torch.manual_seed(seed)
    save_quantised(MSAEncoder(ModelConfig.from_dict(raw)).state_dict(), folder)
    return folder


def write_files(folder: Path) -> Path:
    (folder / "src").mkdir(parents=True)
    (folder / "handbook.md").write_text(HANDBOOK)
    (folder / "notes.txt").write_bytes(NOTES.encode())
    (folder / "src" / "retry.py").write_text(CODE)
    (folder / "page.html").write_text(PAGE)
    write_records(folder / "plants.jsonl", RECORDS)
    return folder


def write_records(path: Path, records: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
