"""Two checkpoints of one run -> their weighted mean, often better than either where neither was trained.

    python -m training.average FIRST LAST OUT [--weight 0.7]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training.train import load, save


def average(first: Path, last: Path, out: Path, weight: float) -> None:
    model, _ = load(last)
    before = load(first)[0].state_dict()
    model.load_state_dict({name: (1 - weight) * before[name] + weight * after for name, after in model.state_dict().items()})
    save(model, last, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("last", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--weight", type=float, default=0.7, help="of the last one")
    args = parser.parse_args()
    average(args.first, args.last, args.out, args.weight)


if __name__ == "__main__":
    main()
