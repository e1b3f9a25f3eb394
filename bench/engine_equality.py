"""Compare the engine with graphql-core on a million operations, or as many as you say.

Each difference is told with the command that executes its document again, and the others go on.
Processor time is what counts: run it with `nice`.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import multiprocessing
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.differential.case import Trial

_BLOCK = 250
"""Documents that are reported together."""
_CASES = 14
"""That come of a document at least, on average."""
_SHOWN = 20
"""Differences that are told at length."""


def compared(first: int) -> tuple[Counter[str], list[str]]:
    """What was counted in one block of documents, and what was unequal."""
    with contextlib.closing(Trial()) as trial:
        told = [
            str(difference)
            for seed in range(first, first + _BLOCK)
            for difference in trial.differences(seed)
        ]
    return trial.counts, told


def main() -> int:
    """0 when everything was equal, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="how many, or a few more")
    parser.add_argument("--seed", type=int, default=1_000_000, help="of the first document")
    parser.add_argument("--processes", type=int, default=1, help="side by side")
    told = parser.parse_args()
    begun = time.monotonic()
    counts: Counter[str] = Counter()
    unequal = 0
    blocks = math.ceil(told.cases / (_BLOCK * _CASES))
    seeds = range(told.seed, told.seed + blocks * _BLOCK, _BLOCK)
    with multiprocessing.Pool(told.processes, maxtasksperchild=20) as pool:
        for block, differences in pool.imap_unordered(compared, seeds):
            counts += block
            for difference in differences:
                unequal += 1
                if unequal <= _SHOWN:
                    print(difference, flush=True)
            hours = (time.monotonic() - begun) / 3600.0
            print(f"{counts['cases']} cases, {unequal} unequal, {hours:.2f} h", flush=True)
    for what, count in counts.most_common():
        print(f"{count:10} {what}")
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())
