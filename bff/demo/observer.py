"""How the services are doing, as the demo's page shows it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bff.health import HealthBoard
from datasources.clock import Clock
from datasources.events import AttemptFinished, BreakerChanged, Event
from datasources.ports.status import ServiceStatus

_LONGEST_JITTER = 1.1
"""A breaker stays open up to a tenth longer than it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedCall:
    """One request to a service, and what came of it.

    Attributes:
        number: Counts all calls to all services, from 1.
        ended_at: When it was over.
        outcome: As in `datasources.events.AttemptFinished`.
        seconds: How long it took.
    """

    number: int
    ended_at: datetime
    operation: str
    attempt: int
    outcome: str
    seconds: float


class Observer:
    """Learns from what happens to calls; subscribe `record` to `datasources.events.Events`.

    Args:
        resets: Services in the order in which they are shown, each with how long its breaker
            stays open (seconds).
        clock: Replaced in tests.
        remembered: Calls to each service that are kept.
    """

    def __init__(self, resets: Mapping[str, float], clock: Clock, *, remembered: int = 20) -> None:
        self._resets = resets
        self._clock = clock
        self._board = HealthBoard(list(resets), clock)
        self._calls: dict[str, deque[FinishedCall]] = {
            name: deque(maxlen=remembered) for name in resets
        }
        self._opened: dict[str, float] = {}
        self._number = 0

    def record(self, event: Event) -> None:
        """Learn from *event*; one about a service that nobody named is ignored."""
        if event.service not in self._resets:
            return
        self._board.record(event)
        if isinstance(event, AttemptFinished):
            self._remember(event)
        elif isinstance(event, BreakerChanged) and event.new == "open":
            self._opened[event.service] = self._clock.monotonic()

    def _remember(self, event: AttemptFinished) -> None:
        self._number += 1
        self._calls[event.service].appendleft(
            FinishedCall(
                number=self._number,
                ended_at=self._clock.now(),
                operation=event.operation,
                attempt=event.attempt,
                outcome=event.outcome,
                seconds=event.seconds,
            )
        )

    def statuses(self) -> Sequence[ServiceStatus]:
        """See `datasources.ports.status.StatusPort`."""
        return self._board.statuses()

    def calls(self, service: str) -> Sequence[FinishedCall]:
        """The last ones, newest first."""
        return list(self._calls[service])

    def closed_to_calls(self, service: str) -> float:
        """For how much longer an open breaker lets nobody through, at most (seconds)."""
        until = self._opened[service] + self._resets[service] * _LONGEST_JITTER
        return max(0.0, until - self._clock.monotonic())
