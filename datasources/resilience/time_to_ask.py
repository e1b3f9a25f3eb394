"""Ask nothing when there is no time to hear the answer."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from datasources.clock import Clock
from datasources.errors import NoTimeToAsk
from datasources.resilience.deadline import time_left
from datasources.resilience.pipeline import Call, Handler, Reply, V


class TimeToAsk:
    """Refuse what would be asked at the deadline or after it.

    It stands inside the queue, where the time may have gone, and outside everything that counts
    or tells of attempts: what it refuses was never sent.

    Args:
        clock: Replaced in tests.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        if time_left(self._clock) <= 0.0:
            raise NoTimeToAsk(call.route.service, "no time left to ask")
        return proceed(call)

    def __str__(self) -> str:
        return "TimeToAsk"
