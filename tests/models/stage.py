"""A loop of virtual time that a stateful test moves on from rule to rule."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from datasources.scope import Scope, entered
from tests.virtual_time import VirtualLoop

T = TypeVar("T")


class Stage:
    """Tasks that go on for as long as a history lasts."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        asyncio.set_event_loop(self.loop)
        self._started: list[asyncio.Task[Any]] = []

    @property
    def now(self) -> float:
        """Monotonic time (seconds)."""
        return self.loop.time()

    def do(self, story: Coroutine[Any, Any, T]) -> T:
        """The result of *story*, once everybody has done what there is to do now."""

        async def told() -> T:
            result = await story
            await asyncio.sleep(0)  # timers that are due now
            while self.loop._ready:  # noqa: ASYNC110 - this is where events come from
                await asyncio.sleep(0)
            return result

        return self.loop.run_until_complete(told())

    def start(
        self, asking: Coroutine[Any, Any, Any], *, seconds: float, principal: str = "u1"
    ) -> asyncio.Task[Any]:
        """Begin *asking* as an operation of *principal*, due in so many seconds."""

        async def operation() -> Any:
            scope = Scope(deadline=self.now + seconds, request_id="r", principal=principal)
            with entered(scope):
                return await asking

        task = self.loop.create_task(operation())
        self._started.append(task)
        return task

    def settle(self) -> None:
        """Let everybody do what there is to do now."""
        self.do(asyncio.sleep(0))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.do(asyncio.sleep(seconds))

    def close(self) -> None:
        """End it; everything left is cancelled."""
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left))
        for task in self._started:
            came_to(task)  # asyncio complains of an error that nobody has looked at
        self.loop.close()
        asyncio.set_event_loop(None)


def came_to(task: asyncio.Task[Any]) -> Any:
    """What became of *task*: None while it runs, a value, or the name of its error."""
    if not task.done():
        return None
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return task.result() if error is None else type(error).__name__
