"""Command line: python -m lindtram.cli check|price|class ...

Ends with the exit_code of the error class, or 0.
"""
import argparse
import json
import logging
import os
import sys

from .config import data_dir
from .errors import BadSetting, TramError
from .faults import classify
from .ticketing import price
from .timetable import Trip, check_headways, check_layovers


def load_trips(name: str) -> list[Trip]:
    """Read <data dir>/plans/<name>.json, a list of trip objects."""
    path = data_dir() / "plans" / f"{name}.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise BadSetting(f"cannot read plan {path}") from exc
    return [Trip(**row) for row in rows]


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lindtram")
    sub = parser.add_subparsers(dest="command", required=True)
    check = sub.add_parser("check", help="check a plan")
    check.add_argument("plan")
    check.add_argument("--skip-layovers", action="store_true")
    fare = sub.add_parser("price", help="price of a ticket in cents")
    fare.add_argument("kind")
    fare.add_argument("--persons", type=int, default=1)
    fare.add_argument("--child", action="store_true")
    klass = sub.add_parser("class", help="class of a fault code")
    klass.add_argument("code")
    return parser


def main(argv=None) -> int:
    args = build_parser().parse_args(argv)
    logging.basicConfig(level=os.environ.get("LMT_LOG_LEVEL", "WARNING"))
    try:
        if args.command == "check":
            trips = load_trips(args.plan)
            check_headways(trips)
            if not args.skip_layovers:
                check_layovers(trips)
            print(f"{len(trips)} trips, plan is good")
        elif args.command == "price":
            print(price(args.kind, args.persons, args.child))
        else:
            print(classify(args.code))
    except TramError as exc:
        print(f"{type(exc).__name__}: {exc}", file=sys.stderr)
        return exc.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
