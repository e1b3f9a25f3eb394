"""Write down what an operation asks, for one that keeps a journal."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from datasources.clock import Clock
from datasources.journal import Journal, Question
from datasources.resilience.pipeline import Call, Handler, Reply, V
from datasources.resilience.rehearsal import Rehearsal
from datasources.scope import Scope, current_scope, entered


class Journaling:
    """Note every question and what came of it; in a rehearsal, answer it without asking.

    It is outermost, so that what the caches answer is noted too, and so that a rehearsal reaches
    no policy that counts, waits or remembers. An operation without a journal passes it without a
    step of its own on the event loop's stack.

    Args:
        rehearsal: Answers in the place of the pipeline when nothing may be sent.
        clock: Replaced in tests.
    """

    def __init__(self, rehearsal: Rehearsal, *, clock: Clock) -> None:
        self._rehearsal = rehearsal
        self._clock = clock

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        scope = current_scope()
        if scope.journal is None:
            return proceed(call)
        return self._noted(call, proceed, scope, scope.journal)

    async def _noted(
        self, call: Call[V], proceed: Handler, scope: Scope, journal: Journal
    ) -> Reply[V]:
        question = Question(
            service=call.route.service,
            operation=call.route.operation,
            keys=len(call.keys),
            began=self._clock.monotonic(),
        )
        with entered(scope.noting(journal.asking(question))):
            try:
                if journal.rehearsal:
                    question.rehearsed = self._rehearsal.kept(call)
                    proceed = self._rehearsal
                reply = await proceed(call)
            except BaseException as error:
                question.failed(self._clock.monotonic(), error)
                raise
        question.answered(self._clock.monotonic(), reply.parts, reply.failure)
        return reply

    def __str__(self) -> str:
        return "Journaling"
