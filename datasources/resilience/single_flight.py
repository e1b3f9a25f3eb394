"""Ask once for all who want to know the same thing at the same time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from typing import Any

from datasources.clock import Clock
from datasources.errors import DatasourceError, DeadlineExceeded, LocalRejection
from datasources.resilience.deadline import time_left
from datasources.resilience.pipeline import Call, Handler, Reply, V
from datasources.resilience.writes import Writes
from datasources.scope import current_journal, current_scope, enter_for_good
from datasources.sourced import Reason

_FlightKey = tuple[str, str, str, tuple[str, ...]]


class Unsettled(LocalRejection):
    """The caller's patience is at its end, and the question is still under way.

    Never leaves a pipeline: `StaleWhileRevalidate` asks for it and answers it.
    """

    reason = Reason.REVALIDATING

    def __init__(self, service: str, trouble: DatasourceError | None) -> None:
        super().__init__(service, "still asking")
        if trouble is not None and trouble.reason is not None:
            self.reason = trouble.reason


class _Flight:
    """One question under way.

    Attributes:
        key: What is asked.
        asked: When it began, in writes.
        task: The question itself.
        waiting: Who waits for it now, in the order of coming: they are told in that order.
        kept: Whether it goes on when nobody waits.
        trouble: What its latest failed attempt met.
        due: When the last of all who have waited for it leaves (monotonic seconds).
    """

    __slots__ = ("asked", "due", "kept", "key", "task", "trouble", "waiting")

    def __init__(self, key: _FlightKey, asked: int) -> None:
        self.key = key
        self.asked = asked
        self.task: asyncio.Task[Reply[Any]]
        self.waiting: dict[asyncio.Future[None], None] = {}
        self.kept = False
        self.trouble: DatasourceError | None = None
        self.due = -math.inf

    def note(self, trouble: DatasourceError) -> None:
        """Remember what an attempt met."""
        self.trouble = trouble


class SingleFlight:
    """Let callers with the same question share one answer.

    The question runs in a task of its own with a deadline of its own, so that no caller's
    deadline or departure harms another; the last one to leave cancels it, unless he left because
    he had an old value and no patience: then it goes on, to renew that value.

    A question is never shared between principals when its answer is personal, and never joined
    by a caller who has written since it was asked.

    Args:
        budget: Time that one question has (seconds).
        writes: What makes a question outdated.
        clock: Replaced in tests.
    """

    def __init__(self, *, budget: float, writes: Writes, clock: Clock) -> None:
        self._budget = budget
        self._writes = writes
        self._clock = clock
        self._flights: dict[_FlightKey, _Flight] = {}
        self._tasks: set[asyncio.Task[Reply[Any]]] = set()
        self._closed = False

    @property
    def in_flight(self) -> int:
        """How many questions are under way."""
        return len(self._tasks)

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        return self._shared(call, proceed) if call.keys else proceed(call)

    async def _shared(self, call: Call[V], proceed: Handler) -> Reply[V]:
        while (flight := self._joinable(call)) is not None:
            if (journal := current_journal()) is not None:
                journal.joined()
            try:
                return await self._wait(call, flight)
            except DeadlineExceeded:
                if not flight.task.done():
                    raise
                # The question's time was over, which had begun before this caller's. Of all
                # whom that befalls, the first one asks again, and the others join him.
        return await self._wait(call, self._start(call, proceed))

    async def _wait(self, call: Call[V], flight: _Flight) -> Reply[V]:
        left = time_left(self._clock)
        patience = left if call.patience is None else min(left, call.patience)
        # Whoever has an old value and no patience leaves the question to go on as long as it may.
        due = current_scope().deadline if call.patience is None else math.inf
        flight.due = max(flight.due, due)
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        flight.waiting[waiter] = None
        timer = loop.call_later(max(0.0, patience), _wake, waiter)
        try:
            await waiter
            if flight.task.done():
                return self._landed(call, flight.task)
            flight.kept = flight.kept or call.patience is not None
            if patience == left:
                raise DeadlineExceeded(call.route.service)
            raise Unsettled(call.route.service, flight.trouble)
        finally:
            timer.cancel()
            del flight.waiting[waiter]
            if not flight.waiting and not flight.kept:
                flight.task.cancel()

    def _joinable(self, call: Call[V]) -> _Flight | None:
        """The same question, under way, and as new as what this caller has written."""
        flight = self._flights.get(_key(call))
        if flight is None or flight.task.done() or flight.task.cancelling():
            return None
        if call.route.personal and flight.asked < self._writes.last(current_scope().principal):
            return None
        return flight

    def _start(self, call: Call[V], proceed: Handler) -> _Flight:
        """Ask anew; whoever comes later joins this one.

        Raises:
            DeadlineExceeded: There is no time for it, or this is closed.
        """
        if self._closed or time_left(self._clock) <= 0.0:
            raise DeadlineExceeded(call.route.service)
        flight = _Flight(_key(call), self._writes.now())
        detached = call.but(
            patience=None, asked=flight.asked, on_trouble=flight.note, due=lambda: flight.due
        )
        flight.task = task = asyncio.create_task(self._fly(flight, detached, proceed))
        self._flights[flight.key] = flight
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._over(flight))
        return flight

    async def _fly(self, flight: _Flight, call: Call[V], proceed: Handler) -> Reply[V]:
        try:
            enter_for_good(current_scope().due(self._clock.monotonic() + self._budget))
            return await proceed(call)
        finally:
            self._land(flight)

    def _land(self, flight: _Flight) -> None:
        """Forget it, and wake all who wait."""
        self._tasks.discard(flight.task)
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]
        for waiter in flight.waiting:
            _wake(waiter)

    def _over(self, flight: _Flight) -> None:
        """The task is done, a turn of the loop after it landed."""
        self._land(flight)  # it may have been cancelled before it began
        if not flight.task.cancelled():
            flight.task.exception()  # nobody may be left to ask, and asyncio complains of that

    def _landed(self, call: Call[V], task: asyncio.Task[Reply[V]]) -> Reply[V]:
        if task.cancelled():
            raise DeadlineExceeded(call.route.service, "the shared question was cancelled")
        return task.result()

    async def aclose(self) -> None:
        """Cancel every question under way, wait until it is gone, and ask no more."""
        self._closed = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def __str__(self) -> str:
        return f"SingleFlight({self._budget:g} s)"


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _key(call: Call[V]) -> _FlightKey:
    principal = current_scope().principal if call.route.personal else ""
    return (call.route.service, call.route.operation, principal, call.keys)
