"""What nobody wants any more, until it has ended."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future
from typing import Any

from engine.awaitables import is_of_this_loop
from engine.pending import retrieve

_PASSES = 4
"""Of the loop in which what has waited for a cancelled future finds out, and ends as well: one for
each future between the one that a resolver gave and the task that works for it."""


class Leaving:
    """Cancels, and waits for what it has cancelled."""

    __slots__ = ("_disturbed", "_futures")

    def __init__(self) -> None:
        self._futures: set[Future[Any]] = set()
        self._disturbed = False

    def __bool__(self) -> bool:
        """Whether something may not have ended yet."""
        return bool(self._futures) or self._disturbed

    def cancel(self, future: Future[Any]) -> None:
        """Ask it to end; one of another loop is left alone."""
        if not is_of_this_loop(future):
            return
        self._disturbed = future.cancel() or self._disturbed
        if future.done():
            retrieve(future)
        else:
            self._futures.add(future)
            future.add_done_callback(self._left)

    def _left(self, future: Future[Any]) -> None:
        self._futures.discard(future)
        retrieve(future)

    async def end(self) -> bool:
        """Wait until all has ended, also when this is cancelled; whether it was."""
        interrupted = False
        passes = _PASSES if self._disturbed else 0
        while self._futures or passes:
            try:
                if self._futures:
                    await asyncio.wait(self._futures)
                else:
                    passes -= 1
                    await asyncio.sleep(0)
            except CancelledError:
                interrupted = True
        self._disturbed = False
        return interrupted
