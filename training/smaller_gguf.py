"""Stage G0: a GGUF file with the tokens only that given texts hold, so that a language model travels light.

    python -m training.smaller_gguf MODEL.gguf OUT.gguf TEXTS.jsonl.xz ... [--tokens 48000]

Kept are a text's most frequent tokens, single bytes, a few special tokens and what merges into them; what a dropped token stood for
falls apart into kept ones, so any text can still be told. Embeddings are taken from the output layer where a file has both (tied weights,
of which it holds the finer ones there). Tensors are copied as they are.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.sets import read_lines
from training.generator import tokenizer_of

SHORTEST = 2
"""Characters of a token that may be a byte's sign."""
LEARNED = {"<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"}
"""Special tokens that are kept."""


def kept(words: list[str], merges: list[str], counted: Counter[int], most: int) -> tuple[list[int], list[str]]:
    """Numbers of the tokens to keep, in order, and the merges among them."""
    made = {}
    for merge in merges:
        a, b = merge.split(" ")
        made.setdefault(a + b, (a, b))
    keep = {words[i] for i, _ in counted.most_common(most)} | {w for w in words if len(w) < SHORTEST or w in LEARNED}
    wanted = list(keep)
    while wanted:
        for part in made.get(wanted.pop(), ()):
            if part not in keep:
                keep.add(part)
                wanted.append(part)
    numbers = [i for i, w in enumerate(words) if w in keep]
    return numbers, [m for m in merges if {*m.split(" "), m.replace(" ", "", 1)} <= keep]


def main() -> None:
    from gguf import GGUFReader, GGUFWriter

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--tokens", type=int, default=48000)
    args = parser.parse_args()
    reader = GGUFReader(args.model)
    kind = reader.fields["general.architecture"].contents()
    words, merges = (reader.fields[f"tokenizer.ggml.{n}"].contents() for n in ("tokens", "merges"))
    tokenizer = tokenizer_of(words, merges, kind)
    counted: Counter[int] = Counter()
    for file in args.texts:
        rows = [" ".join(v for v in row.values() if isinstance(v, str)) for row in read_lines(file)]
        for encoded in tokenizer.encode_batch(rows):
            counted.update(encoded.ids)
    numbers, left = kept(words, merges, counted, args.tokens)
    writer = GGUFWriter(args.out, kind)
    keys = ("block_count", "embedding_length", "feed_forward_length", "attention.head_count", "attention.head_count_kv")
    for key in keys:
        writer.add_uint32(f"{kind}.{key}", int(reader.fields[f"{kind}.{key}"].contents()))
    for key in ("rope.freq_base", "attention.layer_norm_rms_epsilon"):
        writer.add_float32(f"{kind}.{key}", float(reader.fields[f"{kind}.{key}"].contents()))
    writer.add_token_list([words[i] for i in numbers])
    writer.add_token_merges(left)
    tensors = {t.name: t for t in reader.tensors}
    finer = tensors.pop("output.weight", tensors["token_embd.weight"])
    for name, tensor in tensors.items():
        data = np.ascontiguousarray(finer.data[numbers]) if name == "token_embd.weight" else tensor.data
        writer.add_tensor(name, data, raw_dtype=(finer if name == "token_embd.weight" else tensor).tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{len(numbers)} of {len(words)} tokens, {args.out.stat().st_size >> 20} MiB")


if __name__ == "__main__":
    main()
