"""Answer a failure with the last good value, and say so."""

from __future__ import annotations

from datasources.errors import (
    Forbidden,
    LocalRejection,
    NotFound,
    TryLater,
    UpstreamFailure,
)
from datasources.events import Events, FallbackServed
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import Call, Handler, Reply, V


class StaleFallback:
    """Keep every live value; put the kept one in the place of a failure.

    Every failure qualifies, except the service's own word that the thing is gone or not for this
    caller: that one also forgets what was kept, so that nobody is shown what he may no longer
    see.

    Args:
        last_good: Where values are kept.
        events: Told of every old value served.

    References:
        RFC 5861 §4 (stale-if-error).
    """

    def __init__(self, last_good: LastGood, *, events: Events) -> None:
        self._last_good = last_good
        self._events = events

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        if not call.keys:
            return await proceed(call)
        try:
            reply = await proceed(call)
        except (NotFound, Forbidden):
            self._last_good.purge(call)
            raise
        except (UpstreamFailure, LocalRejection, TryLater) as failure:
            parts = self._last_good.stale(call, failure.reason)
            if not parts:
                raise
            self._events.publish(
                FallbackServed(
                    service=call.route.service,
                    operation=call.route.operation,
                    reason=failure.reason,
                    age=max(part.age for part in parts.values()),
                )
            )
            return Reply(parts, None if len(parts) == len(call.keys) else failure)
        self._last_good.keep(call, reply.parts, call.asked)
        return reply

    def __str__(self) -> str:
        return f"StaleFallback({self._last_good.stale_seconds:g} s)"
