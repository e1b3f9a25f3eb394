"""Live one world, or many in a row: `python -m tests.simulation --seed 7 --events`."""

from __future__ import annotations

import argparse
import logging
import sys
import time

import structlog

from tests.simulation.verdict import Violation
from tests.simulation.world import World


def main() -> int:
    """0 when every promise was kept, 1 when one was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first world")
    parser.add_argument("--worlds", type=int, default=1, help="how many, with seeds in a row")
    parser.add_argument("--minutes", type=float, default=30.0, help="length of each")
    parser.add_argument("--events", action="store_true", help="print every event")
    told = parser.parse_args()
    hush()
    begun, operations = time.process_time(), 0
    for seed in range(told.seed, told.seed + told.worlds):
        world = World(seed, told.minutes, _print if told.events else None)
        try:
            digest = world.live()
        except Violation as violation:
            _print(
                f"seed {seed} broke a promise:\n{violation}\nreplay: {replay(seed, told.minutes)}"
            )
            return 1
        operations += world.operations
        if told.worlds == 1:
            _print(digest)
    seconds = time.process_time() - begun
    hours = told.worlds * told.minutes / 60.0
    _print(f"{hours:g} h, {operations} operations, {seconds:.1f} s of CPU")
    return 0


def hush() -> None:
    """Let the BFF log nothing but its own failures: its lines bear the time of this machine."""
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)


def replay(seed: int, minutes: float) -> str:
    """The command that tells it again, event by event."""
    return f"python -m tests.simulation --seed {seed} --minutes {minutes:g} --events"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
