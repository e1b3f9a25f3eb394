"""How long a service usually takes."""

from __future__ import annotations

from collections import deque

from datasources.events import AttemptFinished, Event


class UsualTimes:
    """The median of the latest answers to each operation; subscribe `record` to `Events`.

    A service that becomes slower or faster is believed once it has been so for half of them.
    Failures and cancelled attempts say nothing of how long an answer takes.

    Args:
        answers: How many of the latest count.
        fewest: Below so many nothing is usual.
    """

    def __init__(self, *, answers: int = 15, fewest: int = 5) -> None:
        self._answers = answers
        self._fewest = fewest
        self._seconds: dict[tuple[str, str], deque[float]] = {}

    def record(self, event: Event) -> None:
        """Learn from *event*."""
        if not isinstance(event, AttemptFinished) or event.outcome != "ok":
            return
        key = (event.service, event.operation)
        seconds = self._seconds.get(key)
        if seconds is None:
            seconds = self._seconds[key] = deque(maxlen=self._answers)
        seconds.append(event.seconds)

    def of(self, service: str, operation: str) -> float | None:
        """What an answer takes (seconds); None while too little is known."""
        seconds = self._seconds.get((service, operation), ())
        if len(seconds) < self._fewest:
            return None
        return sorted(seconds)[len(seconds) // 2]
