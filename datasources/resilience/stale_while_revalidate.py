"""Whoever has an old value does not wait long for a newer one."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from datasources.errors import DeadlineExceeded
from datasources.events import Events, FallbackServed
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import Call, Handler, Reply, V
from datasources.resilience.single_flight import Unsettled
from datasources.sourced import Origin


class StaleWhileRevalidate:
    """Serve an old value after a moment's wait; the question goes on and renews what is kept.

    A value that the caller himself has superseded by writing is not served while its successor
    can still arrive; it is served when the time of the whole operation is spent.

    Every caller who is given an old value, from here or from further in, is announced.

    Args:
        last_good: Where values are kept.
        patience: How long to wait when there is an old value (seconds).
        events: Told of every old value served.

    References:
        RFC 5861 §3 (stale-while-revalidate).
    """

    def __init__(self, last_good: LastGood, *, patience: float, events: Events) -> None:
        self._last_good = last_good
        self._patience = patience
        self._events = events

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        if not call.keys:
            return proceed(call)
        if self._last_good.covers(call):
            return self._old_or_newer(call, proceed)
        return self._new(call, proceed)

    async def _old_or_newer(self, call: Call[V], proceed: Handler) -> Reply[V]:
        try:
            reply = await proceed(call.but(patience=self._patience, has_old=True))
        except (Unsettled, DeadlineExceeded) as failure:
            kept = self._last_good.instead_of(call, failure)
            # What was kept may have been dropped during the wait, while time is left to ask.
            if kept is None or kept.failure is not None:
                return await self._new(call, proceed)
            reply = kept
        return self._announced(call, reply)

    async def _new(self, call: Call[V], proceed: Handler) -> Reply[V]:
        try:
            reply = await proceed(call)
        except DeadlineExceeded as failure:
            kept = self._last_good.instead_of(call, failure)
            if kept is None:
                raise
            reply = kept
        return self._announced(call, reply)

    def _announced(self, call: Call[V], reply: Reply[V]) -> Reply[V]:
        old = [part for part in reply.parts.values() if part.origin is Origin.STALE]
        if old:
            self._events.publish(
                FallbackServed(
                    service=call.route.service,
                    operation=call.route.operation,
                    reason=old[0].reason,
                    age=max(part.age for part in old),
                )
            )
        return reply

    def __str__(self) -> str:
        return f"StaleWhileRevalidate({self._patience:g} s)"
