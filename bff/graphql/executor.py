"""What all of our executors have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar, cast

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from datasources.clock import Clock

T = TypeVar("T")

_PASSES = 32
"""Passes of the event loop in which everything that was created has begun: one for each level of
selections, of which an operation has at most 15 by default, and one for each list."""


class Useless(Exception):
    """Nobody wants this any more. Never leaves an executor."""


class OperationExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation as Strawberry does: an error takes its nullable parent along.

    Attributes:
        clock: What deadlines are measured with.
    """

    clock: Clock
    _over = False

    def prepare(self, clock: Clock) -> None:
        """Called once, before the operation; graphql-core decides how executors are made."""
        self.clock = clock

    def with_abort_signal(  # pyright: ignore[reportIncompatibleMethodOverride] - has another name for it
        self, awaitable: Awaitable[T]
    ) -> Coroutine[Any, Any, T]:
        """What a resolver returned, to be awaited; graphql-core awaits all such here."""
        if self._over:
            return discarded(awaitable)
        return cast("Coroutine[Any, Any, T]", awaitable)  # nobody but `await` looks at it

    async def end(self) -> None:
        """Stop what an error has made useless; graphql-core would let it run to its end.

        What has not begun could not pass a cancellation on to what it would have waited for. So
        everything is let begin, and finds out that it is too late; the rest is cancelled.
        """
        abandoned = tuple(self.background_futures)
        if not abandoned:
            return
        self._over = True
        for _ in range(_PASSES):
            await asyncio.sleep(0)
        for future in abandoned:
            future.cancel()
        await asyncio.gather(*abandoned, return_exceptions=True)


async def discarded(awaitable: Awaitable[T]) -> T:
    """Never gives a value: *awaitable* is cancelled before it has begun.

    Raises:
        Useless: Always.
    """
    future = asyncio.ensure_future(awaitable)
    future.cancel()
    await asyncio.wait([future])
    raise Useless
