"""Tell what came of each attempt."""

from __future__ import annotations

import asyncio

from datasources.clock import Clock
from datasources.events import AttemptFinished, Events
from datasources.resilience.pipeline import Call, Handler, Reply, V


class AttemptEvents:
    """Announce every attempt, when it is over.

    Args:
        events: Told of each.
        clock: Replaced in tests.
    """

    def __init__(self, *, events: Events, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        started = self._clock.monotonic()
        outcome = "ok"
        try:
            return await proceed(call)
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            self._events.publish(
                AttemptFinished(
                    service=call.route.service,
                    operation=call.route.operation,
                    attempt=call.attempt,
                    outcome=outcome,
                    seconds=self._clock.monotonic() - started,
                )
            )

    def __str__(self) -> str:
        return "AttemptEvents"
