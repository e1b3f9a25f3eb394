"""Keep one slow service from taking everything."""

from __future__ import annotations

import asyncio
from collections import deque

from datasources.clock import Clock
from datasources.errors import BulkheadFull
from datasources.resilience.deadline import time_left
from datasources.resilience.pipeline import Call, Handler, Reply, V


class Bulkhead:
    """Bound the calls in flight, those that wait, and how long they wait.

    This is the only queue in front of a service; connections are never waited for. A freed slot
    is handed to the one who has waited longest, so nobody who comes later can take it.

    Args:
        limit: Most calls to this service in flight.
        queue: Most calls that wait for a slot.
        patience: Longest wait for a slot (seconds), less if the deadline is nearer.
        clock: Replaced in tests.
    """

    def __init__(
        self, *, limit: int = 64, queue: int = 128, patience: float = 1.0, clock: Clock
    ) -> None:
        self._limit = limit
        self._queue = queue
        self._patience = patience
        self._clock = clock
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.in_flight = 0

    @property
    def queued(self) -> int:
        """How many calls wait for a slot."""
        return len(self._waiting)

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        if self.in_flight < self._limit:
            self.in_flight += 1
        else:
            await self._wait(call.route.service)
        try:
            return await proceed(call)
        finally:
            self._release()

    async def _wait(self, service: str) -> None:
        """Return with a slot that was handed over."""
        patience = min(self._patience, time_left(self._clock))
        if len(self._waiting) >= self._queue or patience <= 0.0:
            raise BulkheadFull(service, f"{self._limit} in flight, {self.queued} waiting")
        slot = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        try:
            await asyncio.wait((slot,), timeout=patience)
        except BaseException:
            self._leave(slot)
            raise
        if not slot.done():
            self._leave(slot)
            raise BulkheadFull(service, f"no slot within {patience:.3g} s")

    def _leave(self, slot: asyncio.Future[None]) -> None:
        """Stop waiting; a slot that was handed over meanwhile goes to the next."""
        if slot.done():
            self._release()
        else:
            self._waiting.remove(slot)

    def _release(self) -> None:
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self.in_flight -= 1

    def __str__(self) -> str:
        return f"Bulkhead({self._limit} + {self._queue})"
