"""Work that stops when nobody waits for its answer any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")


class ClientGone(Exception):
    """The client closed the connection; there is nobody to answer."""


_UNHEARD = 0.01
"""For so long nobody listens (seconds): most work is done by then, and a listener is a task."""


async def while_connected(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """Run *work* here, and cancel it when the client leaves.

    The work runs in the calling task, so that what it waits for, down to a socket, is cancelled
    with it; a second task listens, and is gone when this returns. The request must have been read:
    the listener takes what `receive` still gives.

    Raises:
        ClientGone: The client left first.
    """
    task = asyncio.current_task()
    if task is None:  # pragma: no cover - a coroutine that runs has a task
        raise RuntimeError("not in a task")
    listener = _Listener(task, receive)
    try:
        return await work
    except asyncio.CancelledError:
        if listener.gone and not task.uncancel():
            raise ClientGone from None
        raise
    finally:
        if listener.stop():
            await listener.stopped()


class _Listener:
    """Cancels *task* when the client leaves.

    Attributes:
        gone: Whether the client has left.
    """

    __slots__ = ("_begins", "_listening", "_receive", "_task", "gone")

    def __init__(self, task: asyncio.Task[Any], receive: Receive) -> None:
        self._task = task
        self._receive = receive
        self._listening: asyncio.Task[None] | None = None
        self._begins = asyncio.get_running_loop().call_later(_UNHEARD, self._begin)
        self.gone = False

    def stop(self) -> bool:
        """Listen no more; whether there is something to wait for."""
        self._begins.cancel()
        if self._listening is None:
            return False
        self._listening.cancel()
        return True

    async def stopped(self) -> None:
        """Return when nothing of this is under way."""
        if self._listening is not None:
            await asyncio.wait([self._listening])

    def _begin(self) -> None:
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self._task.cancel()
