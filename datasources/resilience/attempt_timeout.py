"""Bound one attempt."""

from __future__ import annotations

from datasources.clock import Clock
from datasources.errors import AttemptTimedOut, DeadlineExceeded
from datasources.resilience.deadline import RESERVE
from datasources.resilience.pipeline import SAFE_METHODS, Call, Handler, Reply, V
from datasources.resilience.time_limit import TimeLimit
from datasources.scope import current_scope, entered


class AttemptTimeout:
    """Give up on one attempt: sooner for reads than for writes, sooner still at the deadline.

    Whether there is time at all, `TimeToAsk` has seen to. An attempt that was cut short by the
    deadline tells nothing of the service: it ends as `DeadlineExceeded`, which counts against no
    breaker.

    Args:
        read: Limit for methods that change nothing (seconds).
        write: Limit for everything else (seconds).
        clock: Replaced in tests.
    """

    def __init__(self, *, read: float = 3.0, write: float = 10.0, clock: Clock) -> None:
        self._read = read
        self._write = write
        self._clock = clock

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        allowed = self._read if call.route.method in SAFE_METHODS else self._write
        scope = current_scope()
        now = self._clock.monotonic()
        left = scope.deadline - RESERVE - now
        limit = min(allowed, left)
        bound = TimeLimit(limit)
        try:
            with entered(scope.due(now + limit)), bound:
                return await proceed(call)
        except TimeoutError:
            if not bound.reached:
                raise
            if left < allowed:
                raise DeadlineExceeded(call.route.service, f"cut short at {limit:.3g} s") from None
            raise AttemptTimedOut(call.route.service, limit) from None

    def __str__(self) -> str:
        return f"AttemptTimeout(read {self._read:g} s, write {self._write:g} s)"
