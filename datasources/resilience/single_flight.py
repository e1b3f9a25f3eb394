"""Ask once for all who want to know the same thing at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from datasources.clock import Clock
from datasources.errors import DatasourceError, DeadlineExceeded, LocalRejection
from datasources.resilience.deadline import time_left, until
from datasources.resilience.pipeline import Call, Handler, Reply, V
from datasources.resilience.writes import Writes
from datasources.scope import current_scope
from datasources.sourced import Reason

_FlightKey = tuple[str, str, tuple[str, ...]]


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
        asked: When it began, in writes.
        waiters: How many wait for it now.
        kept: Whether it goes on when nobody waits.
        trouble: What its latest failed attempt met.
    """

    __slots__ = ("asked", "kept", "task", "trouble", "waiters")

    def __init__(self, asked: int) -> None:
        self.asked = asked
        self.task: asyncio.Task[Reply[Any]] | None = None
        self.waiters = 0
        self.kept = False
        self.trouble: DatasourceError | None = None

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

    @property
    def in_flight(self) -> int:
        """How many questions are under way."""
        return len(self._flights)

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        if not call.keys:
            return await proceed(call)
        left = time_left(self._clock)
        if left <= 0.0:
            raise DeadlineExceeded(call.route.service)
        flight, task = self._join(call, proceed)
        patient = call.patience is None or left <= call.patience
        flight.waiters += 1
        try:
            await asyncio.wait((task,), timeout=left if patient else call.patience)
            if task.done():
                return self._landed(call, task)
            if patient:
                raise DeadlineExceeded(call.route.service)
            flight.kept = True
            raise Unsettled(call.route.service, flight.trouble)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.kept and not task.done():
                task.cancel()

    def _join(self, call: Call[V], proceed: Handler) -> tuple[_Flight, asyncio.Task[Reply[V]]]:
        principal = current_scope().principal if call.route.personal else ""
        key = (call.route.service, principal, call.keys)
        flight = self._flights.get(key)
        if flight is not None and flight.task is not None and self._joinable(call, flight):
            return flight, flight.task
        flight = _Flight(self._writes.now())
        detached = replace(call, patience=None, asked=flight.asked, on_trouble=flight.note)
        task = asyncio.create_task(self._fly(detached, proceed))
        flight.task = task
        self._flights[key] = flight
        task.add_done_callback(lambda _: self._forget(key, flight))
        return flight, task

    def _joinable(self, call: Call[V], flight: _Flight) -> bool:
        if flight.task is None or flight.task.done() or flight.task.cancelling():
            return False
        return not call.route.personal or flight.asked >= self._writes.last(
            current_scope().principal
        )

    async def _fly(self, call: Call[V], proceed: Handler) -> Reply[V]:
        with until(self._clock.monotonic() + self._budget):
            return await proceed(call)

    def _forget(self, key: _FlightKey, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.task is not None and not flight.task.cancelled():
            flight.task.exception()  # nobody may be left to ask, and asyncio complains of that

    def _landed(self, call: Call[V], task: asyncio.Task[Reply[V]]) -> Reply[V]:
        if task.cancelled():
            raise DeadlineExceeded(call.route.service, "the shared question was cancelled")
        return task.result()

    async def aclose(self) -> None:
        """Cancel every question under way, and wait until it is gone."""
        tasks = [flight.task for flight in self._flights.values() if flight.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def __str__(self) -> str:
        return f"SingleFlight({self._budget:g} s)"
