"""The simulation finds what is wrong: a checker that never complains proves nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.mutations import MUTATIONS

PROJECT = Path(__file__).resolve().parents[2]
WORLDS = 100


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The product and the simulation, where a line may be wrong."""
    root = tmp_path_factory.mktemp("mutated")
    for package in ("bff", "datasources", "engine", "schema"):
        leave = shutil.ignore_patterns("__pycache__", "static")
        shutil.copytree(PROJECT / package, root / package, ignore=leave)
    (root / "tests").mkdir()
    shutil.copytree(PROJECT / "tests/simulation", root / "tests/simulation")
    shutil.copy(PROJECT / "tests/virtual_time.py", root / "tests/virtual_time.py")
    return root


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_wrong_line_is_found(copy, mutation):
    """Within a few hours of simulated time, under the name of the promise that it breaks."""
    wrong = copy / mutation.file
    right = wrong.read_text("utf-8")
    assert right.count(mutation.old) == 1, "the line has changed: change the mutation too"
    wrong.write_text(right.replace(mutation.old, mutation.new), "utf-8")
    command = [sys.executable, "-W", "ignore", "-m", "tests.simulation", "--worlds", str(WORLDS)]
    try:
        done = subprocess.run(
            [*command, "--minutes", "10"],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        wrong.write_text(right, "utf-8")
    assert done.returncode == 1, f"not found in {WORLDS} worlds"
    found = [line.partition("VIOLATION ")[2] for line in done.stdout.splitlines()]
    assert any(line.startswith(mutation.promises) for line in found if line), done.stdout
