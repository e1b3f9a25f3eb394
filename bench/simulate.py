"""Let the whole BFF live for simulated hours among failing services, and check every promise.

Each seed is a world of its own; a world that breaks a promise is told with the command that replays
it event by event, and the others go on. Processor time is what counts: run it with `nice`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.simulation.__main__ import hush, replay
from tests.simulation.verdict import Violation
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one world.

    Attributes:
        seconds: Of the processor.
        broken: The promises that were broken, and how to see it again; "" for none.
    """

    seed: int
    operations: int
    exchanges: int
    seconds: float
    broken: str


def live(told: tuple[int, float]) -> Outcome:
    """Live one world to its end."""
    seed, minutes = told
    # graphql-core leaves coroutines behind that it has not begun when the client leaves.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    begun = time.process_time()
    hush()
    world = World(seed, minutes)
    broken = ""
    try:
        world.live()
    except Violation as violation:
        broken = f"seed {seed}: {violation}\n{replay(seed, minutes)}"
    seconds = time.process_time() - begun
    return Outcome(seed, world.operations, len(world.exchanges.all), seconds, broken)


def main() -> int:
    """0 when every promise was kept, 1 when one was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=10.0, help="of simulated time")
    parser.add_argument("--minutes", type=float, default=30.0, help="length of a world")
    parser.add_argument("--seed", type=int, default=1, help="of the first world")
    parser.add_argument("--processes", type=int, default=1, help="worlds at a time")
    told = parser.parse_args()
    worlds = round(told.hours * 60.0 / told.minutes)
    seeds = [(seed, told.minutes) for seed in range(told.seed, told.seed + worlds)]
    outcomes: list[Outcome] = []
    with multiprocessing.Pool(told.processes) as pool:
        for outcome in pool.imap_unordered(live, seeds):
            outcomes.append(outcome)
            if outcome.broken:
                print(outcome.broken, flush=True)
            if len(outcomes) % 20 == 0:
                print(summary(outcomes, told.minutes), flush=True)
    print(summary(outcomes, told.minutes))
    return int(any(outcome.broken for outcome in outcomes))


def summary(outcomes: list[Outcome], minutes: float) -> str:
    """How far it has come."""
    hours = len(outcomes) * minutes / 60.0
    seconds = sum(outcome.seconds for outcome in outcomes)
    operations = sum(outcome.operations for outcome in outcomes)
    exchanges = sum(outcome.exchanges for outcome in outcomes)
    broken = sum(bool(outcome.broken) for outcome in outcomes)
    return (
        f"{hours:g} h in {len(outcomes)} worlds: {operations} operations, {exchanges} requests"
        f" to services, {broken} worlds with a broken promise;"
        f" {hours * 60.0 / seconds:.1f} h for a minute of the processor"
    )


if __name__ == "__main__":
    sys.exit(main())
