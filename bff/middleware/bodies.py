"""How many request bodies may be on their way at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from bff.pressure import Full

T = TypeVar("T")


class Bodies:
    """Bounds the bodies that have not arrived; the one that is longest in coming makes room.

    Anybody can begin to send a body and then not go on: no token is needed for that. If those
    were the ones who stay, a few of them could keep everybody else out. A body that is sent by
    somebody who wants an answer is there within moments, so it is not the oldest.

    Args:
        most: How many there may be.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._coming: dict[asyncio.Timeout, None] = {}

    async def arrival(self, reading: Coroutine[Any, Any, T], seconds: float) -> T:
        """What *reading* a body gives, in so many *seconds*.

        Raises:
            Full: Too many others have come since, and this one has still not arrived.
            TimeoutError: It has not arrived in time.
        """
        if len(self._coming) >= self._most:
            oldest = next(iter(self._coming))
            del self._coming[oldest]
            oldest.reschedule(asyncio.get_running_loop().time())
        patience = asyncio.timeout(seconds)
        try:
            async with patience:
                self._coming[patience] = None
                return await reading
        except TimeoutError:
            if patience in self._coming:
                raise
            raise Full from None
        finally:
            self._coming.pop(patience, None)
