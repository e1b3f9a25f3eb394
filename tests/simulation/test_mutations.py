"""The simulation finds what is wrong: a checker that never complains proves nothing."""

import pytest

from tests.planted import copied, found
from tests.simulation.mutations import MUTATIONS

WORLDS = 100


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The product and the simulation, where a line may be wrong."""
    return copied(tmp_path_factory.mktemp("mutated"), "simulation")


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_wrong_line_is_found(copy, mutation):
    """Within a few hours of simulated time, under the name of the promise that it breaks."""
    done = found(copy, mutation, "simulation", "--worlds", str(WORLDS), "--minutes", "10")
    assert done.returncode == 1, f"not found in {WORLDS} worlds"
    told = [line.partition("VIOLATION ")[2] for line in done.stdout.splitlines()]
    assert any(line.startswith(mutation.promises) for line in told if line), done.stdout
