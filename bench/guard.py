"""Say which hot path has become slower than it was recorded to be.

Seconds mean nothing on another machine, or on this one tomorrow. So every path is measured in turns
with a calibration, graphql-core at a task of its own, and what counts is how many times longer it
takes: the least time of the path over the least time of the calibration, both of the processor.
Nothing fails.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import uvloop
from graphql import build_schema, graphql_sync
from hot_paths import hot_paths

_RECORD = Path(__file__).resolve().parent / "guard.json"
_TOLD = 0.10
_SLICE_SECONDS = 0.003
_WARMUP = 50


_SDL = """
type Query { things(first: Int!): [Thing!]! }
type Thing { id: ID! name: String! size: Float! parts: [Part!]! }
type Part { id: ID! label: String }
"""
_CALIBRATING = "{ things(first: 10) { id name size parts { id label } } }"


def _calibration() -> Callable[[], Awaitable[object]]:
    """graphql-core parses, validates and executes: it meets a machine's caches as our paths do."""
    parts = [{"id": str(number), "label": f"part {number}"} for number in range(5)]
    things = [
        {"id": str(number), "name": f"thing {number}", "size": number / 7, "parts": parts}
        for number in range(10)
    ]
    schema = build_schema(_SDL)

    async def run() -> None:
        root = {"things": lambda _info, first: things[:first]}
        if graphql_sync(schema, _CALIBRATING, root).errors:
            raise SystemExit("graphql-core does not answer.")

    return run


async def _seconds(path: Callable[[], Awaitable[object]], times: int) -> float:
    """Of the processor, for each of so many."""
    begun = time.process_time()
    for _ in range(times):
        await path()
    return (time.process_time() - begun) / times


async def ratios(rounds: int) -> dict[str, float]:
    """How many times longer than the calibration each path takes."""
    async with hot_paths() as found:
        paths = {"calibration": _calibration(), **found}
        times: dict[str, int] = {}
        for name, path in paths.items():
            each = await _seconds(path, _WARMUP)
            times[name] = max(1, round(_SLICE_SECONDS / each))
        gc.collect()
        gc.freeze()
        least = dict.fromkeys(paths, float("inf"))
        for _ in range(rounds):
            for name, path in paths.items():
                least[name] = min(least[name], await _seconds(path, times[name]))
    unit = least.pop("calibration")
    return {name: seconds / unit for name, seconds in least.items()}


def compare(now: Mapping[str, float]) -> None:
    """Print the table, and a line for each path that has become slower."""
    record = json.loads(_RECORD.read_text("utf-8")) if _RECORD.exists() else {}
    before: dict[str, float] = record.get("ratios", {})
    print(f"{'times the calibration':<34}{'recorded':>10}{'now':>10}{'change':>9}")
    slower: list[str] = []
    for name, ratio in now.items():
        recorded = before.get(name)
        change = "" if recorded is None else f"{ratio / recorded - 1:+.0%}"
        print(f"{name:<34}{recorded or 0:>10.4g}{ratio:>10.4g}{change:>9}")
        if recorded is not None and ratio > recorded * (1 + _TOLD):
            slower.append(f"SLOWER by {ratio / recorded - 1:.0%}: {name}")
    print("\n".join(slower or ["No hot path has become slower by more than a tenth."]))
    python = record.get("python", platform.python_version())
    if python != platform.python_version():
        print(f"It was recorded with Python {python}: compare with care.")


def main() -> None:
    """Read the options, measure and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--record", action="store_true", help="these figures hold from now on")
    options = parser.parse_args()
    now = uvloop.run(ratios(options.rounds))
    compare(now)
    if options.record:
        record = {
            "recorded": time.strftime("%Y-%m-%d"),
            "python": platform.python_version(),
            "ratios": {name: float(f"{ratio:.4g}") for name, ratio in now.items()},
        }
        _RECORD.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
        print(f"recorded in {_RECORD.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
