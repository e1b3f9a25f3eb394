"""Measure GraphQL servers on the same work; see README.md beside this file."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import install
import running
import tables
from field import FIELD, chosen
from loading import saved
from programs import BASE, HERE, Upstreams
from server import Conditions


def _setup(options: argparse.Namespace, _: Conditions) -> int:
    install.install()
    return 0


def _list(options: argparse.Namespace, _: Conditions) -> int:
    for entry in FIELD:
        print(f"{entry.name:15} {entry.what}")
    return 0


def _mock(options: argparse.Namespace, conditions: Conditions) -> int:
    install.build()
    upstreams = Upstreams(conditions.load_cores, conditions.folder / "mock.log")
    print(f"control on 127.0.0.1:{BASE}, services from {BASE + 1} on; SIGINT ends it", flush=True)
    try:
        signal.pause()
    finally:
        upstreams.stop()
    return 0


def _check(options: argparse.Namespace, conditions: Conditions) -> int:
    install.build()
    entries = chosen(options.peers, options.also, options.url)
    return running.check(entries, options.queries.split(","), conditions)


def _run(options: argparse.Namespace, conditions: Conditions) -> int:
    install.build()
    extent = running.Extent(
        queries=tuple(options.queries.split(",")),
        rounds=options.rounds,
        seconds=options.seconds,
        warmup_seconds=options.warmup,
        connections=options.connections,
        delay_ms=options.delay,
        again=options.again,
    )
    entries = chosen(options.peers, options.also, options.url)
    results = running.Run(entries, extent, conditions).measure()
    if not results["servers"]:
        return 1
    default = HERE / "results" / f"run-{time.strftime('%Y%m%d-%H%M%S')}.json"
    running.write(options.out or default, results)
    print(tables.markdown(results, options.ours))
    return 0


def _show(options: argparse.Namespace, _: Conditions) -> int:
    results = tables.merged([saved(path) for path in options.files])
    print(tables.markdown(results, options.ours))
    return 0


_COMMANDS: dict[str, tuple[Callable[[argparse.Namespace, Conditions], int], str]] = {
    "setup": (_setup, "install the peers"),
    "list": (_list, "say which there are"),
    "mock": (_mock, "run the services alone"),
    "check": (_check, "see whether answers are right; the status is the number of wrong ones"),
    "run": (_run, "measure"),
    "show": (_show, "print the tables of runs, put together"),
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    whole = argparse.ArgumentParser(description=__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    for name, (_, about) in _COMMANDS.items():
        one = commands.add_parser(name, help=about)
        if name in {"check", "run"}:
            field_options(one)
            place_options(one)
            one.add_argument("--queries", default="q1,q2,q3,q4")
        if name == "run":
            one.add_argument("--rounds", type=int, default=5)
            one.add_argument("--seconds", type=float, default=6.0, help="of a round")
            one.add_argument("--warmup", type=float, default=12.0, help="seconds at most")
            one.add_argument("--again", type=int, default=2, help="repeats of a noisy round")
            one.add_argument("--connections", type=int, default=64)
            one.add_argument("--delay", type=int, default=0, help="of the services (ms)")
            one.add_argument("--out", type=Path, help="where the results go, as JSON")
        if name in {"run", "show"}:
            one.add_argument("--ours", default="", help="whom to compare the others with")
        if name == "show":
            one.add_argument("files", nargs="+", type=Path)
    return whole


def field_options(one: argparse.ArgumentParser) -> None:
    """Who is measured."""
    one.add_argument("--peers", default="", help="names with commas between; none; default all")
    one.add_argument("--also", action="append", default=[], metavar="FILE", help="TOML: more")
    one.add_argument("--url", action="append", default=[], metavar="NAME=URL", help="runs already")


def place_options(one: argparse.ArgumentParser) -> None:
    """Under which conditions."""
    one.add_argument("--users", type=int, default=200, help="different callers")
    one.add_argument("--verified", action="store_true", help="the Node peers verify tokens")
    one.add_argument("--server-cores", default="0", help="'' for anywhere")
    one.add_argument("--load-cores", default="1", help="of the services and the callers")


def conditions_of(options: argparse.Namespace, folder: Path) -> Conditions:
    """From the options of `place_options`, if there were any.

    Without taskset, or with a single core, everything runs anywhere.
    """
    usual = Conditions(folder=folder)
    can_pin = shutil.which("taskset") is not None and (os.cpu_count() or 1) > 1
    return Conditions(
        folder=folder,
        server_cores=getattr(options, "server_cores", usual.server_cores) if can_pin else "",
        load_cores=getattr(options, "load_cores", usual.load_cores) if can_pin else "",
        users=getattr(options, "users", usual.users),
        verified=getattr(options, "verified", usual.verified),
    )


def leave_nothing_behind() -> None:
    """Let `finally` run also when somebody stops us."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))


def main() -> int:
    """Do what the command line says."""
    options = parser().parse_args()
    leave_nothing_behind()
    with tempfile.TemporaryDirectory(prefix="bff-bench-") as folder:
        return _COMMANDS[options.command][0](options, conditions_of(options, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
