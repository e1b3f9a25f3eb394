"""Who wrote what lately, so that nobody reads what he has just changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any

from datasources.resilience.pipeline import SAFE_METHODS, Call, Handler, Reply, V
from datasources.scope import current_scope

_REMEMBERED = 65_536


class Writes:
    """The order of the reads and writes of each caller at one service.

    A read remembers `now()`; it is superseded once `last(principal)` is later. Time is counted
    in writes, so nothing depends on the resolution of a clock.
    """

    def __init__(self) -> None:
        self._count = 0
        self._last: OrderedDict[str, int] = OrderedDict()
        self._forgotten = 0

    def now(self) -> int:
        """The instant, in writes so far."""
        return self._count

    def last(self, principal: str) -> int:
        """The instant of that caller's last write; later than true rather than earlier."""
        return self._last.get(principal, self._forgotten)

    def note(self, principal: str) -> None:
        """That caller has written, or may have."""
        self._count += 1
        self._last[principal] = self._count
        self._last.move_to_end(principal)
        if len(self._last) > _REMEMBERED:
            _, self._forgotten = self._last.popitem(last=False)


class ReadYourWrites:
    """Let a caller's write supersede what was read for him before, whatever came of the write.

    Superseded values are neither fresh nor good enough to answer with while a newer one is
    fetched; they are still better than nothing when the service fails.
    """

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        if call.route.method in SAFE_METHODS:
            return proceed(call)
        return self._noted(call, proceed)

    async def _noted(self, call: Call[V], proceed: Handler) -> Reply[V]:
        try:
            return await proceed(call)
        finally:
            self._writes.note(current_scope().principal)

    def __str__(self) -> str:
        return "ReadYourWrites"
