"""What a run changed, put together with what it started from: a checkpoint folder again.

    python -m training.changed START_FOLDER RUN_FOLDER OUT
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from safetensors.torch import load_file, save_file

from engine.model.checkpoint import load_tensors

LAYER = re.compile(r"reader\.layers\.(\d+)\.")


def changed(start: Path, run: Path, out: Path) -> None:
    """Raises FileNotFoundError where the run left nothing."""
    shards = sorted(run.glob("changed-*.safetensors"))
    if not shards:
        raise FileNotFoundError(f"{run}: no changed-*.safetensors")
    new = {name: tensor.float() for shard in shards for name, tensor in load_file(shard).items()}
    kept = load_tensors(start)
    config = json.loads((start / "config.json").read_text(encoding="utf-8"))
    layers = [int(m[1]) for m in map(LAYER.match, new) if m]
    if layers:
        kept = {name: tensor for name, tensor in kept.items() if not name.startswith(("reader.", "judge"))}
        config |= {"reader_layers": 1 + max(layers), "judge": True}
    out.mkdir(parents=True, exist_ok=True)
    save_file(kept | new, out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    for name in ("tokenizer.json", "policy.json"):
        if (start / name).exists():
            (out / name).write_bytes((start / name).read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("start", "run", "out"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    changed(args.start, args.run, args.out)


if __name__ == "__main__":
    main()
