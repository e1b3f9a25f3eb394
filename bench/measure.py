"""Everything that docs/bench.md and docs/capacity.md tell, measured and written there.

make bench                          all of it, best on a machine that does nothing else
make bench ARGS="--quick"           a look: three peers, one short round, nothing in docs/
make bench ARGS="--only growth,capacity"
make bench ARGS="--only none"       the pages, from the figures that are there
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import capacity
import flame
import growth
import install
import machine
import report
import running
import tables
from field import chosen
from programs import Upstreams
from server import Conditions

from bench import conditions_of, leave_nothing_behind, place_options

_HERE = Path(__file__).resolve().parent
_PARTS = ("comparison", "growth", "capacity", "flame")
_QUICK_PEERS = "apollo,mercurius-jit,tailcall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of everything.

    Attributes:
        comparison: With the peers.
        growth: Of each curve.
        capacity: Of each load.
        flame_seconds: Of sampling.
    """

    comparison: running.Extent
    growth: growth.Extent
    capacity: capacity.Extent
    flame_seconds: float


def _extent(options: argparse.Namespace) -> Extent:
    quick = options.quick
    return Extent(
        comparison=running.Extent(
            queries=("q1", "q2", "q3", "q4"),
            rounds=1 if quick else options.rounds,
            seconds=2.0 if quick else 6.0,
            warmup_seconds=2.0 if quick else 12.0,
            connections=64,
            delay_ms=0,
            again=0 if quick else 2,
        ),
        growth=growth.Extent(rounds=1 if quick else 3, seconds=1.0 if quick else 4.0),
        capacity=capacity.Extent(rounds=1 if quick else 3, seconds=2.0 if quick else 10.0),
        flame_seconds=3.0 if quick else 20.0,
    )


@contextlib.contextmanager
def _services(conditions: Conditions) -> Generator[Upstreams]:
    upstreams = Upstreams(conditions.load_cores, conditions.folder / "mock.log")
    try:
        yield upstreams
    finally:
        upstreams.stop()


def measure(options: argparse.Namespace, conditions: Conditions, figures: Path) -> None:
    """The parts that are wanted, each into a file of its own."""
    extent = _extent(options)
    wanted = [part for part in options.only.split(",") if part != "none"]
    if "comparison" in wanted:
        install.install()
        peers = options.peers or (_QUICK_PEERS if options.quick else "")
        entries = [*chosen(peers, [], []), *chosen("none", [str(growth.OURS)], [])]
        results = running.Run(entries, extent.comparison, conditions).measure()
        running.write(figures / "comparison.json", results)
        print(tables.markdown(results, report.OURS))
        missing = [entry.name for entry in entries if entry.name not in results["servers"]]
        if missing:
            sys.exit(f"Not measured: {', '.join(missing)}. Why is said above.")
    install.build()
    makers: dict[str, Callable[[Upstreams], dict[str, Any]]] = {
        "growth": lambda services: {
            "curves": growth.Growth(services, extent.growth, conditions).curves()
        },
        "capacity": lambda services: capacity.measure(services, extent.capacity, conditions),
    }
    for part, make in makers.items():
        if part in wanted:
            with _services(conditions) as services:
                _write(figures / f"{part}.json", make(services))
    if "flame" in wanted:
        with _services(conditions) as services:
            flame.draw(services, extent.flame_seconds, conditions, figures / "flame.svg")


def _write(path: Path, figures: dict[str, Any]) -> None:
    seen = {"when": time.strftime("%Y-%m-%d %H:%M"), "machine": machine.description()}
    path.write_text(json.dumps({**seen, **figures}, indent=1) + "\n", "utf-8")
    print(f"saved {path}", flush=True)


def main() -> int:
    """Read the options, measure, and write the pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a minute or two, for a look")
    parser.add_argument("--only", default=",".join(_PARTS), help="parts, with commas between")
    parser.add_argument("--rounds", type=int, default=5, help="of the comparison")
    parser.add_argument("--peers", default="", help="to compare with; default all")
    place_options(parser)
    options = parser.parse_args()
    strangers = set(options.only.split(",")) - {*_PARTS, "none"}
    if strangers:
        parser.error(f"no such part: {', '.join(strangers)}; there are {', '.join(_PARTS)}, none")
    leave_nothing_behind()
    figures = _HERE / ("results" if options.quick else "figures")
    figures.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bff-bench-") as folder:
        measure(options, conditions_of(options, Path(folder)), figures)
    target = figures if options.quick else _HERE.parent
    report.write(figures, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
