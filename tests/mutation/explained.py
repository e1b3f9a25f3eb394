"""The survivors that somebody has looked at: why no test can tell them from the original."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutants import Mutant

_FILE = Path(__file__).parent / "survivors.toml"


@dataclass(frozen=True, slots=True)
class Explained:
    """A mutant that lives on, by its text, so that other lines may move.

    Attributes:
        module: Name of the file below `datasources/resilience/`, without its ending.
        where: As in `Mutant`.
        before: As in `Mutant`.
        after: As in `Mutant`.
        because: Why that is no gap in the tests.
    """

    module: str
    where: str
    before: str
    after: str
    because: str

    def fits(self, module: str, mutant: Mutant) -> bool:
        """Whether this is *mutant* of *module*."""
        return (self.module, self.where, self.before, self.after) == (
            module,
            mutant.where,
            mutant.before,
            mutant.after,
        )


def all_explained() -> list[Explained]:
    """What the file says."""
    rows = tomllib.loads(_FILE.read_text("utf-8")).get("survivor", [])
    return [Explained(**row) for row in rows]
