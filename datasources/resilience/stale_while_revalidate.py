"""Whoever has an old value does not wait long for a newer one."""

from __future__ import annotations

from dataclasses import replace

from datasources.errors import DeadlineExceeded
from datasources.events import Events, FallbackServed
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import Call, Handler, Reply, V
from datasources.resilience.single_flight import Unsettled


class StaleWhileRevalidate:
    """Serve an old value after a moment's wait; the question goes on and renews what is kept.

    A value that the caller himself has superseded by writing is not served while its successor
    can still arrive; it is served when the time of the whole operation is spent.

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

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        if not self._last_good.covers(call):
            try:
                return await proceed(call)
            except DeadlineExceeded as failure:
                return self._serve(call, failure)
        try:
            return await proceed(replace(call, patience=self._patience))
        except (Unsettled, DeadlineExceeded) as failure:
            return self._serve(call, failure)

    def _serve(self, call: Call[V], failure: Unsettled | DeadlineExceeded) -> Reply[V]:
        """Old values in place of *failure*; raises it when there are none."""
        parts = self._last_good.stale(call, failure.reason)
        if not parts:
            raise failure
        age = max(part.age for part in parts.values())
        self._events.publish(
            FallbackServed(
                service=call.route.service,
                operation=call.route.operation,
                reason=failure.reason,
                age=age,
            )
        )
        return Reply(parts, None if len(parts) == len(call.keys) else failure)

    def __str__(self) -> str:
        return f"StaleWhileRevalidate({self._patience:g} s)"
