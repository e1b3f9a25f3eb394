"""Stop what takes too long."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class TimeLimit:
    """Ends what is awaited inside with TimeoutError after so long.

    As `asyncio.timeout`, which needs two coroutines and three times as long: each call to a service
    comes by here. To be entered once, in a task.

    Args:
        seconds: How long it may take.
    """

    __slots__ = ("_cancelling", "_seconds", "_task", "_timer", "reached")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.reached = False
        """Whether it took too long."""

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be stopped")
        self._task = task
        self._cancelling = task.cancelling()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, self._seconds), self._reach)
        return self

    def _reach(self) -> None:
        self.reached = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if not self.reached:
            return
        # Somebody else may have cancelled the task too, and is to have his way.
        if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
