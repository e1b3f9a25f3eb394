"""Ask again, politely."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from datasources.clock import Clock
from datasources.errors import (
    AttemptTimedOut,
    DatasourceError,
    DeadlineExceeded,
    LocalRejection,
    NoTimeToAsk,
    TryLater,
    UpstreamFailure,
    UpstreamRefusal,
)
from datasources.events import Events, RetryScheduled
from datasources.resilience.deadline import RESERVE, time_left
from datasources.resilience.pipeline import IDEMPOTENT_METHODS, Call, Handler, Reply, V
from datasources.resilience.retry_budget import RetryBudget

Sleep = Callable[[float], Awaitable[None]]
Uniform = Callable[[float, float], float]


class Retry:
    """Repeat an idempotent call whose failure may pass.

    Before retry *n* it waits a random time between 0 and `min(ceiling, base * 2 ** (n - 1))`
    ("full jitter"), or as long as the service asked for with Retry-After. It fails at once when
    the wait does not fit the deadline of anybody who waits for the answer, the budget is spent, or
    the breaker would refuse. After an attempt that ran into its limit, as much time must be left
    again.

    Once an attempt has failed, the caller hears of that failure, never of a repeat that was not
    sent or was put off. Nor, for a write, of a repeat that was refused: "in progress" or "not
    allowed" says nothing of what the first attempt did. A write must not look as if nothing had
    happened.

    Args:
        retries: Most repeats after the first attempt.
        base: Upper bound of the first wait (seconds).
        ceiling: Upper bound of every wait of our own (seconds).
        budget: Shared by all calls to the service.
        admits: Whether a repeat would be sent at all, as far as can be told before waiting.
        events: Told of every repeat.
        clock: Replaced in tests.
        sleep: Replaced in tests.
        uniform: Replaced in tests.

    References:
        RFC 9110 §9.2.2 (idempotent methods), §10.2.3 (Retry-After).
    """

    def __init__(  # noqa: PLR0913 - three numbers and six seams
        self,
        *,
        retries: int = 3,
        base: float = 0.05,
        ceiling: float = 1.0,
        budget: RetryBudget,
        admits: Callable[[], bool],
        events: Events,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        uniform: Uniform = random.uniform,
    ) -> None:
        self._retries = retries
        self._base = base
        self._ceiling = ceiling
        self._budget = budget
        self._admits = admits
        self._events = events
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        self._budget.deposit()
        met: UpstreamFailure | TryLater | None = None
        retries = 0
        while True:
            try:
                return await proceed(call)
            except (UpstreamFailure, TryLater) as failure:
                latest = failure
                if call.on_trouble is not None:
                    call.on_trouble(failure)
            except LocalRejection as rejection:
                cut_short = isinstance(rejection, DeadlineExceeded)
                if met is None or (cut_short and not isinstance(rejection, NoTimeToAsk)):
                    raise
                raise met from rejection
            except UpstreamRefusal as refusal:
                # A call that was put off has done nothing, so nothing is in doubt.
                if not isinstance(met, UpstreamFailure) or call.route.method in IDEMPOTENT_METHODS:
                    raise
                raise met from refusal
            if met is None or isinstance(latest, UpstreamFailure):
                met = latest
            retries += 1
            delay = self._delay(call, latest, retries)
            if delay is None:
                raise met
            self._announce(call, latest, retries, delay)
            await self._sleep(delay)
            call = call.but(attempt=next(call.numbers))

    def _delay(
        self, call: Call[V], failure: UpstreamFailure | TryLater, retry: int
    ) -> float | None:
        """How long to wait before asking again (seconds); None when it is not worth it."""
        if not (failure.retryable and call.repeatable and retry <= self._retries):
            return None
        if call.route.method not in IDEMPOTENT_METHODS and call.idempotency_key is None:
            return None
        delay = self._uniform(0.0, min(self._ceiling, self._base * 2.0 ** (retry - 1)))
        if failure.retry_after is not None:
            delay = max(delay, failure.retry_after)
        needed = failure.limit if isinstance(failure, AttemptTimedOut) else 0.0
        if delay + needed >= self._left(call) or not self._admits():
            return None
        return delay if self._budget.withdraw() else None

    def _left(self, call: Call[V]) -> float:
        """For how long an answer would find somebody (seconds)."""
        left = time_left(self._clock)
        if call.due is None:
            return left
        return min(left, call.due() - RESERVE - self._clock.monotonic())

    def _announce(self, call: Call[V], failure: DatasourceError, retry: int, delay: float) -> None:
        self._events.publish(
            RetryScheduled(
                service=call.route.service,
                operation=call.route.operation,
                retry=retry,
                delay=delay,
                cause=type(failure).__name__,
            )
        )

    def __str__(self) -> str:
        return f"Retry({self._retries} of idempotent calls, {self._budget})"
