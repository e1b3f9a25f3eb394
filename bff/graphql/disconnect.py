"""Work that stops when nobody waits for its answer any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")


class ClientGone(Exception):
    """The client closed the connection; there is nobody to answer."""


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
    gone = False

    async def listen() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    listener = asyncio.create_task(listen())
    try:
        return await work
    except asyncio.CancelledError:
        if gone and not task.uncancel():
            raise ClientGone from None
        raise
    finally:
        listener.cancel()
        await asyncio.wait([listener])
