"""A copy of the project in which one line is wrong, and what its checks then say."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

PROJECT = Path(__file__).resolve().parents[1]
_PACKAGES = ("bff", "datasources", "engine", "schema")


class Wrong(Protocol):
    """A line of *file*, and what it must not be."""

    file: str
    old: str
    new: str


def copied(root: Path, checks: str) -> Path:
    """The product and the *checks*, a folder of `tests`, in the empty folder *root*."""
    for package in _PACKAGES:
        leave = shutil.ignore_patterns("__pycache__", "static")
        shutil.copytree(PROJECT / package, root / package, ignore=leave)
    (root / "tests").mkdir()
    shutil.copytree(PROJECT / "tests" / checks, root / "tests" / checks)
    shutil.copy(PROJECT / "tests/virtual_time.py", root / "tests/virtual_time.py")
    return root


def found(copy: Path, wrong: Wrong, checks: str, *arguments: str) -> subprocess.CompletedProcess:
    """What the *checks* of the *copy* say with *arguments* while the line is wrong."""
    with _planted(copy / wrong.file, wrong):
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-m", f"tests.{checks}", *arguments],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )


@contextlib.contextmanager
def _planted(path: Path, wrong: Wrong) -> Iterator[None]:
    right = path.read_text("utf-8")
    assert right.count(wrong.old) == 1, "the line has changed: change the mutation too"
    path.write_text(right.replace(wrong.old, wrong.new), "utf-8")
    try:
        yield
    finally:
        path.write_text(right, "utf-8")
