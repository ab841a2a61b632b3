"""The ``fulmar`` command.

Exit status:

====  ==========================================================
0     all went well
1     a problem not listed below
2     wrong usage (argparse)
3     ``check`` found at least one open critical alert
4     conductivity data without a usable certificate (``--strict``)
5     the configuration file is wrong
====  ==========================================================
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path

from . import __version__, config as configuration
from .alerts import Evaluator, default_rules
from .calibration import CertificateBook
from .errors import ConfigError, FulmarError
from .faults import Severity
from .pipeline import Pipeline, wave_stats
from .sources import from_path
from .store import KEEP_READINGS_DAYS, Store

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_CRITICAL = 3
EXIT_UNCALIBRATED = 4
EXIT_CONFIG = 5

DATABASE_NAME = "fulmar.sqlite3"


def _when(text: str) -> datetime:
    value = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if value.tzinfo is None:
        value = value.replace(tzinfo=timezone.utc)
    return value


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fulmar", description="Fulmar buoy telemetry")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--config", type=Path, help="TOML configuration file")
    parser.add_argument("--database", type=Path, help="database file")
    commands = parser.add_subparsers(dest="command", required=True)

    ingest = commands.add_parser("ingest", help="read spool files into the database")
    ingest.add_argument("path", type=Path)
    ingest.add_argument(
        "--strict", action="store_true", help="fail if a probe has no usable certificate"
    )

    check = commands.add_parser("check", help="run the alert rules once")
    check.add_argument("--at", type=_when, help="pretend that it is this time")

    commands.add_parser("status", help="when each buoy was last heard")

    waves = commands.add_parser("waves", help="wave statistics of one buoy")
    waves.add_argument("buoy", type=int)
    waves.add_argument("--hours", type=float, default=1.5, help="length of record")
    waves.add_argument("--at", type=_when, help="end of the record, default now")

    prune = commands.add_parser("prune", help="delete old readings")
    prune.add_argument("--keep-days", type=int, default=KEEP_READINGS_DAYS)
    prune.add_argument("--raw", action="store_true", help="delete old frames as well")
    return parser


def _ingest(args: argparse.Namespace, store: Store, config: configuration.Config) -> int:
    book = CertificateBook.load(config.calibration_dir) if config.calibration_dir else None
    pipeline = Pipeline(store, book)
    summary = pipeline.run(from_path(args.path))
    stats = pipeline.decoder.stats
    print(
        f"{summary.stored} frames stored, {summary.duplicates} duplicates,"
        f" {stats.bad_checksums} bad checksums, {stats.skipped_bytes} bytes skipped"
    )
    for serial in sorted(summary.uncalibrated):
        print(f"no usable certificate for {serial}", file=sys.stderr)
    if args.strict and summary.uncalibrated:
        return EXIT_UNCALIBRATED
    return EXIT_OK


def _check(args: argparse.Namespace, store: Store, config: configuration.Config) -> int:
    now = args.at or datetime.now(timezone.utc)
    Evaluator(store, default_rules(config)).run(now)
    worst = 0
    for buoy, code, severity, text in store.open_alerts():
        worst = max(worst, severity)
        print(f"{buoy:04d} {code} {Severity(severity).name:<8} {text}")
    return EXIT_CRITICAL if worst >= Severity.CRITICAL else EXIT_OK


def _status(args: argparse.Namespace, store: Store, config: configuration.Config) -> int:
    for buoy in store.buoys():
        heard = store.last_heard(buoy)
        station = config.stations.get(buoy)
        name = station.name if station else "-"
        print(f"{buoy:04d} {name:<20} {heard:%Y-%m-%d %H:%M}")
    return EXIT_OK


def _waves(args: argparse.Namespace, store: Store, config: configuration.Config) -> int:
    stats = wave_stats(store, args.buoy, args.at or datetime.now(timezone.utc), args.hours)
    print(
        f"Hs {stats.significant_height:.2f} m  Tz {stats.mean_period:.1f} s"
        f"  Hmax {stats.max_height:.2f} m  ({stats.count} waves)"
    )
    return EXIT_OK


def _prune(args: argparse.Namespace, store: Store, config: configuration.Config) -> int:
    count = store.prune(datetime.now(timezone.utc), args.keep_days, args.raw)
    print(f"{count} rows deleted")
    return EXIT_OK


_COMMANDS = {
    "ingest": _ingest,
    "check": _check,
    "status": _status,
    "waves": _waves,
    "prune": _prune,
}


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    try:
        config = configuration.load(args.config)
    except (ConfigError, OSError) as error:
        print(f"fulmar: {error}", file=sys.stderr)
        return EXIT_CONFIG
    path = args.database or configuration.data_dir() / DATABASE_NAME
    try:
        with Store(path) as store:
            return _COMMANDS[args.command](args, store, config)
    except (FulmarError, OSError) as error:
        print(f"fulmar: {error}", file=sys.stderr)
        return EXIT_FAILURE


if __name__ == "__main__":
    sys.exit(main())
