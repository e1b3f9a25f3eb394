# ruff: noqa: T201 - a program that prints
"""Change `datasources/resilience` in every small way, and see whether the tests notice.

    python -m tests.mutation [--only breaker,bulkhead] [--jobs 2] [--near] [--list]

Prints each mutant that no test noticed, and ends with 1 when one of them is not explained in
`tests/mutation/survivors.toml`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# Ready before the process is copied for a trial: what is large, and none of our own.
import aiodataloader  # noqa: F401
import httpx  # noqa: F401
import hypothesis.stateful  # noqa: F401
import msgspec  # noqa: F401
import pybreaker  # noqa: F401

from tests.mutation.explained import all_explained
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trial import PROJECT, survives

_PACKAGE = PROJECT / "datasources/resilience"
_TESTS = ("tests/unit/resilience", "tests/unit/test_rest.py", "tests/models")
_PATIENCE = 5.0
"""How many times as long as the tests usually take a mutant may take."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant, and whether it lived."""

    module: str
    mutant: Mutant
    survived: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status."""
    options = _options(arguments)
    modules = options.only.split(",") if options.only else _modules()
    todo = [(module, mutant) for module in modules for mutant in mutants_of(_text(module))]
    if options.list:
        for module, mutant in todo:
            print(_shown(module, mutant))
        print(f"{len(todo)} mutants")
        return 0
    tests = [
        path
        for path in _all_tests()
        if not options.near or any(_is_near(module, Path(path)) for module in modules)
    ]
    began = time.monotonic()
    if not survives("", None, tests, 600.0):
        print("The tests fail without any change.", file=sys.stderr)
        return 2
    patience = (time.monotonic() - began) * _PATIENCE * options.jobs
    explained = all_explained()
    unexplained = survivors = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        trials = pool.map(lambda pair: _tried(*pair, patience, near_only=options.near), todo)
        for trial in trials:
            if not trial.survived:
                continue
            survivors += 1
            why = [row.because for row in explained if row.fits(trial.module, trial.mutant)]
            unexplained += not why
            print(_shown(trial.module, trial.mutant))
            print(f"  because {why[0]}" if why else "  UNEXPLAINED", flush=True)
    spent = time.monotonic() - began
    print(
        f"{len(todo)} mutants, {len(todo) - survivors} noticed, {survivors} not, "
        f"{unexplained} of them unexplained; {spent:.0f} s"
    )
    return 1 if unexplained else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--only", default="", help="modules, such as breaker,bulkhead")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument(
        "--near", action="store_true", help="only the tests that import the module: a first look"
    )
    parser.add_argument("--list", action="store_true", help="show them, and run nothing")
    return parser.parse_args(arguments)


def _tried(module: str, mutant: Mutant, seconds: float, *, near_only: bool) -> Trial:
    """First before the tests that name the module, since most mutants go no further."""
    near = [path for path in _all_tests() if _is_near(module, Path(path))]
    near.sort(key=lambda path: Path(path).stem != f"test_{module}")
    rest = [path for path in _all_tests() if path not in near]
    lived = all(
        survives(_named(module), mutant.source, tests, seconds)
        for tests in (near, [] if near_only else rest)
        if tests
    )
    return Trial(module, mutant, lived)


def _is_near(module: str, test: Path) -> bool:
    return test.stem == f"test_{module}" or _named(module) in test.read_text("utf-8")


def _modules() -> list[str]:
    return sorted(path.stem for path in _PACKAGE.glob("*.py") if path.stem != "__init__")


def _named(module: str) -> str:
    return f"datasources.resilience.{module}"


def _text(module: str) -> str:
    return (_PACKAGE / f"{module}.py").read_text("utf-8")


def _all_tests() -> list[str]:
    places = [PROJECT / place for place in _TESTS]
    return sorted(
        str(path)
        for place in places
        for path in ([place] if place.is_file() else place.rglob("test_*.py"))
    )


def _shown(module: str, mutant: Mutant) -> str:
    place = f"datasources/resilience/{module}.py:{mutant.line} in {mutant.where}"
    return f"{place}\n  - {mutant.before}\n  + {mutant.after}"


if __name__ == "__main__":
    sys.exit(main())
