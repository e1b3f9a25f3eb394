"""Who may know whom."""

from __future__ import annotations

from pathlib import Path

import pytest
from importlinter.application.use_cases import read_user_options
from importlinter.cli import lint_imports

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_nobody_imports_what_they_must_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every contract of pyproject.toml is kept."""
    monkeypatch.chdir(PROJECT)
    assert lint_imports(no_cache=True) == 0


def test_the_contracts_cover_every_package() -> None:
    """A fifth package would not go unwatched."""
    options = read_user_options(str(PROJECT / "pyproject.toml"))
    packages = sorted(found.parent.name for found in PROJECT.glob("*/__init__.py"))
    assert sorted(options.session_options["root_packages"]) == packages
