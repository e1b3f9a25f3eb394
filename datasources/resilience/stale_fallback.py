"""Answer a failure with the last good value, and say so."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from datasources.errors import (
    Forbidden,
    LocalRejection,
    NotFound,
    Rejected,
    TryLater,
    UpstreamFailure,
)
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import Call, Handler, Reply, V


class StaleFallback:
    """Keep every live value; put the kept one in the place of a failure.

    Every failure qualifies, except the service's own word that the thing is gone or not for this
    caller: that one also forgets what was kept, so that nobody is shown what he may no longer
    see.

    Args:
        last_good: Where values are kept.

    References:
        RFC 5861 §4 (stale-if-error).
    """

    def __init__(self, last_good: LastGood) -> None:
        self._last_good = last_good

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        return self._kept(call, proceed) if call.keys else proceed(call)

    async def _kept(self, call: Call[V], proceed: Handler) -> Reply[V]:
        try:
            reply = await proceed(call)
        except (NotFound, Forbidden):
            self._last_good.purge(call)
            raise
        except (UpstreamFailure, LocalRejection, TryLater, Rejected) as failure:
            kept = self._last_good.instead_of(call, failure)
            if kept is None:
                raise
            return kept
        self._last_good.keep(call, reply.parts)
        return reply

    def __str__(self) -> str:
        return f"StaleFallback({self._last_good.stale_seconds:g} s)"
