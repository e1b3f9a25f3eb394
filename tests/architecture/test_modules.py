"""What a module may be called, and how long it may be."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("bff", "engine", "schema", "datasources", "examples")

MOST_LINES = 300
LONGER_FOR_A_REASON: dict[str, str] = {}
"""Path of a longer file, and why it is better whole."""

SAYS_NOTHING = re.compile(r"(^|_)(base|common|core|helper|helpers|manager|misc|util|utils)($|_)")


def modules() -> list[Path]:
    """Every module of ours."""
    return sorted(path for name in PACKAGES for path in (PROJECT / name).rglob("*.py"))


def lengths() -> dict[str, int]:
    """Lines of every module that is too long."""
    counted = {
        str(path.relative_to(PROJECT)): len(path.read_text("utf-8").splitlines())
        for path in modules()
    }
    return {path: lines for path, lines in counted.items() if lines > MOST_LINES}


def test_there_are_modules() -> None:
    """The tests below look at something."""
    assert {path.relative_to(PROJECT).parts[0] for path in modules()} == set(PACKAGES)


def test_a_module_is_named_after_what_is_in_it() -> None:
    """A name such as `utils` attracts what has no place."""
    named = [path for path in modules() if any(map(SAYS_NOTHING.search, names_in(path)))]
    assert named == []


def names_in(path: Path) -> list[str]:
    """The folders and the module of *path*."""
    relative = path.relative_to(PROJECT).with_suffix("")
    return list(relative.parts)


def test_a_module_fits_into_a_head() -> None:
    """A module over 300 lines is split, or listed above with a reason."""
    assert sorted(lengths()) == sorted(LONGER_FOR_A_REASON)
