"""Execute one document, or many in a row: `python -m tests.differential --seed 7`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.differential.case import Trial


def main() -> int:
    """0 when everything was equal, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first document")
    parser.add_argument("--documents", type=int, default=1, help="how many, with seeds in a row")
    parser.add_argument("--differences", type=int, default=3, help="after which to stop")
    told = parser.parse_args()
    begun, found = time.process_time(), 0
    trial = Trial()
    for seed in range(told.seed, told.seed + told.documents):
        for difference in trial.differences(seed):
            _print(f"{difference}\n")
            found += 1
        if found >= told.differences:
            break
    for what, count in trial.counts.most_common():
        _print(f"{count:8} {what}")
    _print(f"{time.process_time() - begun:.1f} s of CPU")
    trial.close()
    return 1 if found else 0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
