"""An event loop whose time passes only when everybody waits.

A story that spans minutes takes milliseconds, and always goes the same way.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

_START = 1_000.0
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class _Selector(selectors.SelectSelector):
    loop: VirtualLoop
    stirred = False

    def select(self, timeout: float | None = None) -> Any:
        # Where nothing has arrived since the last jump, nothing is on its way.
        ready = super().select(self.loop.patience if self.stirred and timeout != 0 else 0)
        self.stirred = bool(ready) or (self.stirred and timeout == 0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("everybody waits, and for nothing")
        self.loop.elapsed += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer instead of waiting for it.

    Args:
        patience: Real time that sockets of this machine are given before a jump (seconds). Both
            ends must be in this loop.
    """

    def __init__(self, patience: float = 0.0) -> None:
        self.elapsed = 0.0
        self.patience = patience
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return _START + self.elapsed


class VirtualClock:
    """The clock of the running `VirtualLoop`; before it runs, when it will start."""

    def monotonic(self) -> float:
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return _START

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.monotonic() - _START)


class HandClock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.time = _START

    def monotonic(self) -> float:
        return self.time

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.time - _START)


def run(story: Coroutine[Any, Any, T]) -> T:
    """The result of *story*, told in virtual time; no task may be left over."""
    loop = VirtualLoop()
    with contextlib.closing(loop):
        asyncio.set_event_loop(loop)
        try:
            result = loop.run_until_complete(story)
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.wait(left))
            assert not left, f"left over: {left}"
            return result
        finally:
            asyncio.set_event_loop(None)
