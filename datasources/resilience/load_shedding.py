"""When not everything can be asked for, do without what matters least."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from datasources.clock import Clock
from datasources.errors import Shed, ShedForTime
from datasources.events import CallShed, Events
from datasources.importance import Importance
from datasources.resilience.deadline import time_left
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import SAFE_METHODS, Call, Handler, Reply, V

_PROBE_SECONDS = 1.0


class LoadShedding:
    """Answer a read of less than critical importance with what is kept, or refuse it, unasked.

    It is left out while the process is under pressure; while calls wait for a slot of its service
    (optional ones as soon as one waits, important ones from half of the queue on); and when the
    time that is left would not suffice for half of the service's answers. In that last case one
    call a second is asked all the same, or nobody would learn that the service has become faster;
    and none is left out that the breaker would refuse: it ends at once, and for a better reason.

    Critical reads, writes, and questions without keys always pass; so does a question whose kept
    answer the caller has superseded by writing, for he would be shown what he has just changed.

    Args:
        last_good: Where values are kept.
        least: The least importance that the process has room for now.
        queued: How many calls wait for a slot of the service now.
        queue: How many can.
        usual: What an answer of a service to an operation takes (seconds); None for unknown.
        admits: Whether the breaker would let a call through; told whether the caller has an old
            value to show.
        events: Told of each call that is left out.
        clock: Replaced in tests.

    References:
        docs/decisions/0020-importance-and-shedding.md
    """

    def __init__(  # noqa: PLR0913 - a store, five signals, and two seams
        self,
        last_good: LastGood,
        *,
        least: Callable[[], Importance],
        queued: Callable[[], int],
        queue: int,
        usual: Callable[[str, str], float | None],
        admits: Callable[[bool], bool],
        events: Events,
        clock: Clock,
    ) -> None:
        self._last_good = last_good
        self._least = least
        self._queued = queued
        self._queue = queue
        self._usual = usual
        self._admits = admits
        self._events = events
        self._clock = clock
        self._probed: dict[str, float] = {}

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        if call.importance is Importance.CRITICAL:
            return proceed(call)
        if not call.keys or call.route.method not in SAFE_METHODS:
            return proceed(call)
        shed = self._shed(call)
        if shed is None or self._last_good.is_superseded(call):
            return proceed(call)
        return self._left_out(call, shed)

    async def _left_out(self, call: Call[V], shed: Shed) -> Reply[V]:
        self._events.publish(
            CallShed(
                service=call.route.service,
                operation=call.route.operation,
                importance=call.importance,
                reason=shed.reason,
            )
        )
        kept = self._last_good.instead_of(call, shed)
        if kept is None:
            raise shed
        return kept

    def _shed(self, call: Call[V]) -> Shed | None:
        """Why *call* is left out; None when it is not."""
        if call.importance < self._least():
            return Shed(call.route.service, "the process is under pressure")
        if call.importance < self._least_queueing():
            return Shed(call.route.service, f"{self._queued()} calls wait")
        if self._is_short(call):
            return ShedForTime(call.route.service)
        return None

    def _least_queueing(self) -> Importance:
        queued = self._queued()
        if not queued:
            return Importance.OPTIONAL
        return Importance.CRITICAL if 2 * queued >= self._queue else Importance.IMPORTANT

    def _is_short(self, call: Call[V]) -> bool:
        operation = call.route.operation
        usual = self._usual(call.route.service, operation)
        if usual is None or time_left(self._clock) >= usual or not self._admits(call.has_old):
            return False
        now = self._clock.monotonic()
        if now - self._probed.setdefault(operation, now) >= _PROBE_SECONDS:
            self._probed[operation] = now
            return False
        return True

    def __str__(self) -> str:
        return "LoadShedding"
