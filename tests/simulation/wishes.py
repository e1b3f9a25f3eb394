"""What clients say beside what they ask for."""

from __future__ import annotations

import random

from tests.simulation.documents import Document

_LIMITS = (0.015, 0.06, 0.15, 0.5, 1.5)
"""From too short for asking to more than most answers take (seconds)."""


class Wishes:
    """Draws them.

    Args:
        chance: Where from.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def on_error(self) -> str:
        """What an error may take along; mostly nothing is said of it."""
        return self.chance.choices(("", "PROPAGATE", "NULL", "HALT"), (7.0, 0.5, 1.0, 1.5))[0]

    def limits(self, document: Document) -> dict[str, float]:
        """For some, all or the inner fields (seconds); for most operations, none."""
        drawn = self.chance.random()
        if drawn > 0.25:
            return {}
        fields = [*document.sections] if drawn < 0.08 else [*document.below]
        if drawn > 0.16:
            fields = [*document.sections, *document.below]
            fields = [name for name in fields if self.chance.random() < 0.5]
        return {name: self._limit() for name in fields}

    def _limit(self) -> float:
        return round(self.chance.choice(_LIMITS) * self.chance.uniform(0.5, 1.0), 3)

    def explain(self) -> str:
        """What an operator wants to see."""
        return self.chance.choices(("", "analyze", "plan"), (90.0, 7.0, 3.0))[0]

    def second(self) -> bool:
        """Whether a second message is marked as well."""
        return self.chance.random() < 0.4
