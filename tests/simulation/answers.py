"""What a client got, and where in it what stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.simulation.clients import Operation, Path
from tests.simulation.truth import USERS


@dataclass(slots=True)
class Answer:
    """One operation, as its client saw it.

    Attributes:
        started: When it was sent (seconds).
        ended: When nothing of it was left.
        statuses: HTTP status of every response: one, or none for a client that left.
        deadline: When it was due.
        alone: Whether no other operation was under way.
        refused: Whether there was no room for it.
    """

    operation: Operation
    started: float
    ended: float
    statuses: list[int]
    body: bytes
    deadline: float = float("inf")
    alone: bool = False
    refused: bool = False

    def strangers(self) -> list[str]:
        """How other people's data would begin in the answer."""
        others = [user for user in USERS if user != self.operation.user]
        marks = ('"{} v', 'for {}: "', "card of {} ", '"o-{}-', '"{}@')
        return [mark.format(user) for user in others for mark in marks]


@dataclass(slots=True)
class Reading:
    """An answer, while it is read: what is accounted for is taken out."""

    answer: Answer
    body: Any
    errors: dict[Path, Any]
    entries: dict[Path, Any]

    @classmethod
    def of(cls, answer: Answer, body: Any) -> Reading:
        errors = {tuple(one["path"]): one["extensions"] for one in body.get("errors", ())}
        degraded = body.get("extensions", {}).get("degraded", ())
        return cls(answer, body, errors, {tuple(one["path"]): one for one in degraded})

    def at(self, path: Path) -> Any:
        """What stands there; None where nothing does."""
        value = self.body["data"]
        for step in path:
            if value is None:
                return None
            value = value[step]
        return value
