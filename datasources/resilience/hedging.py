"""Ask a second time when the first answer is long in coming."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from datasources.clock import Clock
from datasources.errors import TryLater, UpstreamFailure, UpstreamRefusal
from datasources.events import Events, HedgeStarted
from datasources.resilience.deadline import time_left
from datasources.resilience.pipeline import SAFE_METHODS, Call, Handler, Reply, V
from datasources.resilience.retry_budget import RetryBudget


class Hedging:
    """Race a second attempt against one that has not answered after a while.

    It is for operations that are usually quick and now and then slow. Only safe methods are
    hedged, only while the breaker is closed and a slot is free, and only as far as the budget
    goes, which repeats draw on too.

    The first answer wins, a refusal as well, and the other attempt is cancelled: that is no
    evidence for anybody. A failure waits for the other attempt, and so does one that the service
    has put off; when both fail, the caller hears of what the first one met. One that fails before
    the second is sent has failed, and `Retry` decides.

    Args:
        operations: Names of the operations that are hedged.
        after: How long the first attempt has for itself (seconds).
        budget: Shared with `Retry`.
        admits: Whether a second attempt would be sent at once.
        events: Told of every second attempt.
        clock: Replaced in tests.

    References:
        Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013.
    """

    def __init__(  # noqa: PLR0913 - what, when, and four seams
        self,
        *,
        operations: Collection[str],
        after: float,
        budget: RetryBudget,
        admits: Callable[[], bool],
        events: Events,
        clock: Clock,
    ) -> None:
        self._operations = frozenset(operations)
        self._after = after
        self._budget = budget
        self._admits = admits
        self._events = events
        self._clock = clock

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        route = call.route
        if route.operation not in self._operations or route.method not in SAFE_METHODS:
            return proceed(call)
        return self._hedged(call, proceed)

    async def _hedged(self, call: Call[V], proceed: Handler) -> Reply[V]:
        route = call.route
        first = asyncio.create_task(_sent(call, proceed))
        attempts = [first]
        try:
            await asyncio.wait(attempts, timeout=self._after)
            if first.done() or not self._may_hedge():
                return await first
            self._events.publish(
                HedgeStarted(service=route.service, operation=route.operation, after=self._after)
            )
            second = call.but(attempt=next(call.numbers), hedge=True)
            attempts.append(asyncio.create_task(_sent(second, proceed)))
            return await _race(call, attempts)
        finally:
            await _end(attempts)

    def _may_hedge(self) -> bool:
        return time_left(self._clock) > 0.0 and self._admits() and self._budget.withdraw()

    def __str__(self) -> str:
        return f"Hedging({', '.join(sorted(self._operations))} after {self._after:g} s)"


async def _sent(call: Call[V], proceed: Handler) -> Reply[V]:
    """As a coroutine of its own, which is what a task takes."""
    return await proceed(call)


async def _race(call: Call[V], attempts: Sequence[asyncio.Task[Reply[V]]]) -> Reply[V]:
    """The first answer; or the failure of the first attempt, when all have failed."""
    running = set(attempts)
    while running:
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for attempt in attempts:
            if attempt in done and _answered(attempt):
                return attempt.result()
        if running and call.on_trouble is not None:
            for attempt in done:
                failure = None if attempt.cancelled() else attempt.exception()
                if isinstance(failure, UpstreamFailure | TryLater):
                    call.on_trouble(failure)
    return attempts[0].result()


def _answered(attempt: asyncio.Task[Reply[V]]) -> bool:
    """Whether the service said something, were it no; "later" is nothing yet."""
    if attempt.cancelled():
        return False
    failure = attempt.exception()
    if isinstance(failure, TryLater):
        return False
    return failure is None or isinstance(failure, UpstreamRefusal)


async def _end(attempts: Sequence[asyncio.Task[Reply[V]]]) -> None:
    """Cancel what is still under way, and wait until it is gone."""
    for attempt in attempts:
        attempt.cancel()
        attempt.add_done_callback(_heed)
    running = [attempt for attempt in attempts if not attempt.done()]
    if running:
        await asyncio.wait(running)


def _heed(attempt: asyncio.Task[Reply[V]]) -> None:
    """Look at what the loser met; asyncio complains of errors that nobody has seen."""
    if not attempt.cancelled():
        attempt.exception()
