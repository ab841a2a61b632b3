"""Stage 2: give a trained model upper layers of its own for reading, and its routing back.

    python -m training.grow TRAINED_FOLDER UNTRAINED_FOLDER OUT [--layers 4]

Training one stack to compare and to read makes it compare worse: the trained backbone's upper layers become the
reader, and the untrained model's take their old place, with its router projections. From then on reading is trained
without moving what documents and questions are compared by.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file

from engine.model.config import read_config
from training.train import routes


def grow(trained: Path, untrained: Path, out: Path, layers: int) -> None:
    config = {**read_config(trained), "reading_layers": layers}
    state, old = load_file(trained / "model.safetensors"), load_file(untrained / "model.safetensors")
    first = config["backbone_layers"] - layers
    for name in list(state):
        place, _, rest = name.removeprefix("backbone.").partition(".")
        if name.startswith("backbone."):
            if int(place) >= first:
                state[f"reader.{int(place) - first}.{rest}"] = state[name]
            state[name] = old[name]
        elif routes(name):
            state[name] = old[name]
    out.mkdir(parents=True, exist_ok=True)
    save_file(state, out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    shutil.copy(trained / "tokenizer.json", out / "tokenizer.json")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("trained", type=Path)
    parser.add_argument("untrained", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--layers", type=int, default=4)
    args = parser.parse_args()
    grow(args.trained, args.untrained, args.out, args.layers)
