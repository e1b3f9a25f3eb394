"""Who is inside: a second opinion on `bff.pressure`."""

from __future__ import annotations

from typing import Any

from tests.simulation.answers import Answer
from tests.simulation.clients import Operation
from tests.simulation.exchanges import Exchanges
from tests.simulation.verdict import demand

_RESERVED = 16
_INSTANT = 1e-6


class Door:
    """Counts the operations that are under way.

    Args:
        places: How many there may be at once; a sixteenth is kept for those who give a key, unless
            they have half of all.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._inside: dict[str, bool] = {}
        self._ahead: set[str] = set()

    def admits(self, operation: Operation) -> bool:
        """Whether *operation* must be let in now; if so, it is inside."""
        ahead = operation.key is not None and len(self._ahead) < self._places / 2
        kept = 0 if ahead else self._places // _RESERVED
        if len(self._inside) >= self._places - kept:
            return False
        alone = not self._inside
        self._inside = dict.fromkeys(self._inside, False)
        self._inside[operation.name] = alone
        if ahead:
            self._ahead.add(operation.name)
        return True

    def leaves(self, operation: Operation) -> bool:
        """It is over; whether nobody else was inside all that time."""
        self._ahead.discard(operation.name)
        return self._inside.pop(operation.name)


def turned_away(answer: Answer, body: Any, exchanges: Exchanges) -> None:
    """There was no room: that is said at once, and nobody was asked."""
    name = answer.operation.name
    sent = [str(one) for one in exchanges.since(answer.started) if one.request == name]
    demand(not sent, "door", f"{name} is turned away, and asks {sent}")
    demand(answer.ended - answer.started <= _INSTANT, "door", f"{name} waited to be refused")
    errors = [one["extensions"] for one in body.pop("errors")]
    expected = [{"code": "OVERLOADED", "retryable": True}]
    demand(errors == expected and not body, "door", f"{name}: {errors}, {body}")
