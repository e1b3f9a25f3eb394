"""The whole BFF among failing services, for hours; every promise checked in every answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.__main__ import replay
from tests.simulation.verdict import Violation
from tests.simulation.world import World

PROJECT = Path(__file__).resolve().parents[2]

# graphql-core leaves coroutines behind that it has not begun when the client leaves.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


def live(seed, minutes):
    """The digest of a world; a broken promise comes with the command that tells it again."""
    try:
        return World(seed, minutes).live()
    except Violation as violation:
        pytest.fail(f"seed {seed}: {violation}\n{replay(seed, minutes)}", pytrace=False)


def test_a_few_minutes_without_a_broken_promise():
    """Short, for every change; the long ones are below."""
    live(7, 1)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, 41, 4))
def test_ten_hours_without_a_broken_promise(first):
    """Forty worlds of a quarter of an hour each, all different."""
    for seed in range(first, first + 4):
        live(seed, 15)


@pytest.mark.slow
def test_the_same_seed_is_the_same_history():
    """To the byte, whatever order Python gives to sets."""
    histories = [told(seed=12, minutes=5, hashing=hashing) for hashing in "012"]
    assert len(histories[0].splitlines()) > 500
    assert histories[0] == histories[1] == histories[2]


@pytest.mark.slow
def test_another_seed_is_another_history():
    """Or the test above would show nothing."""
    assert World(1, 1).live() != World(2, 1).live()


def told(seed, minutes, hashing):
    """All events of a world that lives in a process of its own."""
    command = [sys.executable, "-W", "ignore", *replay(seed, minutes).split()[1:]]
    environment = os.environ | {"PYTHONHASHSEED": hashing, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return done.stdout.rpartition("\n")[0].rpartition("\n")[0]
