"""Two checkpoints of one run -> their weighted mean, often better than either where neither was trained.

    python -m training.average FIRST LAST OUT [--weight 0.7] [--layers 0,1,2,3,3,4,4]

With `--layers` the first one's reader is deepened as the last one's was before it learned (training.train_reader).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training.train import load, save
from training.train_reader import deepened


def average(first: Path, last: Path, out: Path, weight: float, layers: list[int] | None = None) -> None:
    """What only the last one has, a judge that started anew, is taken as it is."""
    model, _ = load(last)
    earlier, _ = load(first)
    if layers:
        deepened(earlier, layers)
        earlier.judge = None
    before = earlier.state_dict()
    mean = {name: (1 - weight) * before[name] + weight * after if name in before else after for name, after in model.state_dict().items()}
    model.load_state_dict(mean)
    save(model, last, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("last", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--weight", type=float, default=0.7, help="of the last one")
    parser.add_argument("--layers", type=lambda text: [int(i) for i in text.split(",")])
    args = parser.parse_args()
    average(args.first, args.last, args.out, args.weight, args.layers)


if __name__ == "__main__":
    main()
