"""Stage 5: a trained checkpoint -> the bundled model, weights in 8 bits a row.

    python -m training.export TRAINED_FOLDER [OUT]

Copies config.json, tokenizer.json and policy.json beside the weights. Refuses more than 32 MiB.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from engine.model.checkpoint import load_tensors, save_quantised
from engine.places import bundled_model

LIMIT = 32 << 20


def export(trained: Path, out: Path) -> int:
    """Returns the size of the weights in bytes."""
    out.mkdir(parents=True, exist_ok=True)
    save_quantised(load_tensors(trained), out)
    for name in ("config.json", "tokenizer.json", "policy.json"):
        shutil.copyfile(trained / name, out / name)
    size = (out / "model.safetensors").stat().st_size
    if size > LIMIT:
        raise SystemExit(f"{size} bytes of weights are more than the package may hold ({LIMIT})")
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("trained", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=bundled_model())
    args = parser.parse_args()
    print(f"{export(args.trained, args.out) / 2**20:.1f} MiB of weights -> {args.out}")


if __name__ == "__main__":
    main()
