"""Tell what came of each attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from datasources.clock import Clock
from datasources.events import AttemptFinished, Events
from datasources.journal import OK, Journal, outcome_of
from datasources.resilience.pipeline import Call, Handler, Reply, V
from datasources.scope import Scope, current_scope, entered


class AttemptEvents:
    """Announce every attempt, when it is over; note it in the operation's journal, if it has one.

    Args:
        events: Told of each.
        clock: Replaced in tests.
    """

    def __init__(self, *, events: Events, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        scope = current_scope()
        if scope.journal is None:
            return self._announced(call, proceed)
        return self._noted(call, proceed, scope, scope.journal)

    async def _noted(
        self, call: Call[V], proceed: Handler, scope: Scope, journal: Journal
    ) -> Reply[V]:
        journal = journal.sending(call.attempt, self._clock.monotonic(), hedge=call.hedge)
        with entered(scope.noting(journal)):
            try:
                reply = await self._announced(call, proceed)
            except BaseException as error:
                journal.over(self._clock.monotonic(), outcome_of(error))
                raise
        journal.over(self._clock.monotonic(), OK)
        return reply

    async def _announced(self, call: Call[V], proceed: Handler) -> Reply[V]:
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
