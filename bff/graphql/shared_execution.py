"""Execute an operation once for all who ask it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Flight(Generic[T]):
    """One execution under way.

    Attributes:
        due: When it ends at the latest (monotonic seconds).
        asked: When it began, in writes of its viewer.
        waiters: How many wait for it now.
    """

    __slots__ = ("asked", "due", "task", "waiters")

    def __init__(self, task: asyncio.Task[T], due: float, asked: int) -> None:
        self.task = task
        self.due = due
        self.asked = asked
        self.waiters = 0


class SharedExecution(Generic[K, T]):
    """Lets others wait for what one has begun.

    The execution runs in a task of its own, so that whoever has begun it may leave; the last one
    to leave cancels it, and stays until it has ended. It has the deadline of who has begun it,
    and nobody who is due earlier may join: so all are answered in time, and no timer is needed.
    """

    def __init__(self) -> None:
        self._flights: dict[K, Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def joinable(self, key: K, *, due: float, written: int) -> Flight[T] | None:
        """The one under way that this caller may join.

        Args:
            key: What is asked, and for whom.
            due: When the caller must be answered (monotonic seconds).
            written: When the caller has written last; what was asked before is of no use to him.
        """
        flight = self._flights.get(key)
        if flight is None or flight.task.done() or flight.task.cancelling():
            return None
        return flight if flight.due <= due and flight.asked >= written else None

    async def join(self, flight: Flight[T]) -> T | None:
        """What came of it; None when it failed, which is told to who has begun it."""
        await self._wait(flight)
        if flight.task.cancelled() or flight.task.exception() is not None:
            return None
        return flight.task.result()

    async def begin(
        self, key: K, make: Callable[[], Coroutine[Any, Any, T]], *, due: float, asked: int
    ) -> T:
        """What came of *make*; whoever comes later may join it.

        Args:
            key: What is asked, and for whom.
            make: Executes it.
            due: When that ends at the latest (monotonic seconds).
            asked: The instant, in writes of the viewer.
        """
        flight = Flight(asyncio.create_task(make()), due, asked)
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _: self._forget(key, flight))
        await self._wait(flight)
        return flight.task.result()

    async def _wait(self, flight: Flight[T]) -> None:
        flight.waiters += 1
        try:
            await asyncio.wait((flight.task,))
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                flight.task.cancel()
                await asyncio.wait((flight.task,))

    def _forget(self, key: K, flight: Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.task.cancelled():
            flight.task.exception()  # nobody may be left to ask, and asyncio complains of that
