"""Work that goes on behind the requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

_log = logging.getLogger(__name__)


class Worker:
    """Do the work whenever woken; as long as some of it fails, try again after a growing pause.

    Args:
        name: For the log.
        work: Does all there is to do now; False, or an exception, when something is left.
        base: The first pause (seconds); it doubles.
        ceiling: The longest pause (seconds).
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[bool]],
        *,
        base: float = 0.2,
        ceiling: float = 5.0,
    ) -> None:
        self._name = name
        self._work = work
        self._base = base
        self._ceiling = ceiling
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """At work, and finally not: what was under way is abandoned where it is."""
        task = asyncio.create_task(self._run(), name=self._name)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        failures = 0
        while True:
            self._woken.clear()
            failures = 0 if await self._done() else failures + 1
            pause = min(self._ceiling, self._base * 2.0 ** (failures - 1)) if failures else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    async def _done(self) -> bool:
        try:
            return await self._work()
        except Exception:  # noqa: BLE001, whatever it is, the work is still to be done
            _log.exception("%s failed, and will try again", self._name)
            return False
