"""What happened, for whoever wants to count it, log it or show it.

Policies announce; they never log. A subscriber that raises is reported to `on_error` and harms
neither the call nor the other subscribers.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from datasources.importance import Importance
from datasources.sourced import Reason


class BreakerChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A breaker moved from one state to another: "closed", "open" or "half-open"."""

    service: str
    old: str
    new: str


class RetryScheduled(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt failed and another will follow.

    Attributes:
        retry: 1 for the first repeat.
        delay: Wait before it (seconds).
        cause: Name of the error class.
    """

    service: str
    operation: str
    retry: int
    delay: float
    cause: str


class HedgeStarted(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt is slow, and a second one begins beside it.

    Attributes:
        after: How long the first one had for itself (seconds).
    """

    service: str
    operation: str
    after: float


class FallbackServed(msgspec.Struct, frozen=True, kw_only=True):
    """An old value stands in for a fresh one.

    Attributes:
        age: Of the oldest value served (seconds).
    """

    service: str
    operation: str
    reason: Reason | None
    age: float


class CallShed(msgspec.Struct, frozen=True, kw_only=True):
    """A call was left out, before anything was asked, in favour of what matters more.

    Attributes:
        reason: OVERLOADED or DEADLINE.
    """

    service: str
    operation: str
    importance: Importance
    reason: Reason | None


class AttemptFinished(msgspec.Struct, frozen=True, kw_only=True):
    """One request was sent, and this came of it.

    Attributes:
        outcome: "ok", "cancelled", or the name of the error class.
        seconds: How long it took.
    """

    service: str
    operation: str
    attempt: int
    outcome: str
    seconds: float


Event = BreakerChanged | RetryScheduled | HedgeStarted | FallbackServed | CallShed | AttemptFinished
Subscriber = Callable[[Event], None]


class Events:
    """Tells every subscriber, in the order in which they came.

    Args:
        on_error: Told of what a subscriber raised.
    """

    def __init__(self, on_error: Callable[[Exception], None] = lambda _: None) -> None:
        self._subscribers: list[Subscriber] = []
        self._on_error = on_error

    def subscribe(self, subscriber: Subscriber) -> None:
        """Tell *subscriber* of everything from now on."""
        self._subscribers.append(subscriber)

    def publish(self, event: Event) -> None:
        """Tell everybody."""
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception as exc:  # noqa: BLE001 - a broken gauge must not break a call
                self._on_error(exc)
