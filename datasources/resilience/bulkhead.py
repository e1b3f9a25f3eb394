"""Keep one slow service from taking everything."""

from __future__ import annotations

import asyncio
from collections import deque

from datasources.clock import Clock
from datasources.errors import AttemptTimedOut, BulkheadFull, NotFound, TryLater
from datasources.resilience.adaptive_limit import FixedLimit, Limit
from datasources.resilience.deadline import time_left
from datasources.resilience.pipeline import SAFE_METHODS, Call, Handler, Reply, V
from datasources.scope import current_journal


class Bulkhead:
    """Bound the calls in flight, those that wait, and how long they wait.

    This is the only queue in front of a service; connections are never waited for. A freed slot
    is handed to the one who has waited longest, so nobody who comes later can take it. When the
    limit is lowered below what is in flight, nobody is stopped: freed slots are not handed on
    until there are fewer.

    The limit is told of safe calls: of an answer, that there is no such thing among them, and of
    what timed out or was put off, which both say that it is too much. A write takes its time; what
    failed, or was refused without being looked up, is quick whatever the service can take.

    Args:
        limit: Most calls to this service in flight; a number for one that never moves.
        queue: Most calls that wait for a slot.
        patience: Longest wait for a slot (seconds), less if the deadline is nearer.
        clock: Replaced in tests.
    """

    def __init__(
        self, *, limit: int | Limit = 64, queue: int = 128, patience: float = 1.0, clock: Clock
    ) -> None:
        self._limit: Limit = FixedLimit(limit) if isinstance(limit, int) else limit
        self._queue = queue
        self._patience = patience
        self._clock = clock
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.in_flight = 0

    @property
    def queued(self) -> int:
        """How many calls wait for a slot."""
        return len(self._waiting)

    @property
    def has_room(self) -> bool:
        """Whether a call would have a slot at once."""
        return not self._waiting and self.in_flight < self._limit.now

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        self._hand_on()
        if self.has_room:
            self.in_flight += 1
        else:
            await self._wait(call.route.service)
        begun = self._clock.monotonic()
        try:
            reply = await proceed(call)
        except NotFound:
            self._observe(call, begun)
            raise
        except (AttemptTimedOut, TryLater):
            self._observe(call, begun, timed_out=True)
            raise
        else:
            self._observe(call, begun)
            return reply
        finally:
            self._release()

    def _observe(self, call: Call[V], begun: float, *, timed_out: bool = False) -> None:
        if call.route.method in SAFE_METHODS:
            seconds = self._clock.monotonic() - begun
            self._limit.observe(seconds, in_flight=self.in_flight, timed_out=timed_out)

    async def _wait(self, service: str) -> None:
        """Return with a slot that was handed over."""
        patience = min(self._patience, time_left(self._clock))
        if len(self._waiting) >= self._queue or patience <= 0.0:
            raise BulkheadFull(service, f"{self._limit.now} in flight, {self.queued} waiting")
        slot = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        began = self._clock.monotonic()
        try:
            await asyncio.wait((slot,), timeout=patience)
        except BaseException:
            self._leave(slot)
            raise
        if (journal := current_journal()) is not None:
            journal.waited(self._clock.monotonic() - began)
        self._hand_on()
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
        self.in_flight -= 1
        self._hand_on()

    def _hand_on(self) -> None:
        """Give what slots there are to those who wait; a limit may rise while nobody leaves."""
        while self._waiting and self.in_flight < self._limit.now:
            self.in_flight += 1
            self._waiting.popleft().set_result(None)

    def __str__(self) -> str:
        return f"Bulkhead({self._limit} + {self._queue})"
