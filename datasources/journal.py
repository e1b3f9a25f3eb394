"""What one operation asks of the services, written down while it happens.

An operation keeps a journal when its `Scope` has one; hardly any has. Work that is done for an
operation inherits its scope, also in tasks of its own, so nothing of another caller's can get in.
Whoever joins a question that somebody else has asked is told only that it was so.

Instants are monotonic seconds. What is still under way has no end yet, and may get one after the
answer has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from datasources.errors import DatasourceError
from datasources.events import CallShed, Event, HedgeStarted, RetryScheduled
from datasources.sourced import Origin, Reason, Sourced

OK = "ok"
CANCELLED = "CANCELLED"


class Kept(StrEnum):
    """What is kept of one thing that might be asked for."""

    FRESH = "fresh"
    STALE = "stale"
    ABSENT = "absent"


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One request that was sent.

    Attributes:
        number: 1 for the first.
        hedge: Whether it was sent because another one was slow.
        began: When it was sent.
        waited: How long it had waited for a slot before (seconds).
        ended: When it was over.
        outcome: "ok", "CANCELLED", or the code of the error.
        size: Bytes in the body of the response; None when none was read to its end.
    """

    number: int
    hedge: bool
    began: float
    waited: float
    ended: float | None = None
    outcome: str | None = None
    size: int | None = None


@dataclass(slots=True, kw_only=True)
class Question:
    """One call, as a service's client makes it, and what came of it.

    Attributes:
        service: Who was asked.
        operation: What.
        keys: How many things it was for; 0 for a command.
        began: When it was asked.
        ended: When it was answered.
        outcome: "ok", "CANCELLED", or the code of the error that all or some of its things met.
        served: How many things were found, by where they came from.
        age: Of the oldest of them (seconds).
        reason: Why something is old or missing.
        joined: Whether somebody else had asked already.
        retries: How many repeats were scheduled.
        hedges: How many attempts were doubled.
        shed: Whether it was left out in favour of what matters more.
        attempts: What was sent for it.
        waited: How long it has waited for a slot since the last attempt (seconds).
        rehearsed: What is kept of each thing, where the question was only rehearsed.
    """

    service: str
    operation: str
    keys: int
    began: float
    ended: float | None = None
    outcome: str | None = None
    served: dict[Origin, int] = field(default_factory=dict[Origin, int])
    age: float = 0.0
    reason: Reason | None = None
    joined: bool = False
    retries: int = 0
    hedges: int = 0
    shed: bool = False
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    waited: float = 0.0
    rehearsed: tuple[Kept, ...] = ()

    def answered(
        self, at: float, parts: Mapping[str, Sourced[Any]], failure: DatasourceError | None
    ) -> None:
        """These things were found, and the others met *failure*."""
        self.ended = at
        for part in parts.values():
            self.served[part.origin] = self.served.get(part.origin, 0) + 1
            self.age = max(self.age, part.age)
            self.reason = self.reason or part.reason
        self.outcome = OK if failure is None else failure.code
        if failure is not None:
            self.reason = self.reason or failure.reason

    def failed(self, at: float, error: BaseException) -> None:
        """Nothing was found."""
        self.ended = at
        self.outcome = outcome_of(error)
        self.reason = error.reason if isinstance(error, DatasourceError) else None

    def sent(self, number: int, at: float, *, hedge: bool) -> Attempt:
        """A request leaves now."""
        attempt = Attempt(number=number, hedge=hedge, began=at, waited=self.waited)
        self.waited = 0.0
        self.attempts.append(attempt)
        return attempt


@dataclass(frozen=True, slots=True)
class Journal:
    """Where to write: the questions of the operation, and the one at hand.

    Attributes:
        rehearsal: Whether nothing may be sent, and what is kept is all there is.
        questions: In the order in which they were asked; one list for the whole operation.
        question: That this work is done for.
        attempt: That this work is done for.
    """

    rehearsal: bool = False
    questions: list[Question] = field(default_factory=list[Question])
    question: Question | None = None
    attempt: Attempt | None = None

    def asking(self, question: Question) -> Journal:
        """For the work that is done for a new *question*."""
        self.questions.append(question)
        return replace(self, question=question)

    def sending(self, number: int, at: float, *, hedge: bool) -> Journal:
        """For the work of one attempt."""
        if self.question is None:
            return self
        return replace(self, attempt=self.question.sent(number, at, hedge=hedge))

    def over(self, at: float, outcome: str) -> None:
        """The attempt at hand ended so."""
        if self.attempt is not None:
            self.attempt.ended, self.attempt.outcome = at, outcome

    def received(self, size: int) -> None:
        """The attempt at hand was answered with so many bytes."""
        if self.attempt is not None:
            self.attempt.size = size

    def waited(self, seconds: float) -> None:
        """The question at hand has waited for a slot."""
        if self.question is not None:
            self.question.waited += seconds

    def joined(self) -> None:
        """The question at hand had been asked by somebody else."""
        if self.question is not None:
            self.question.joined = True

    def note(self, event: Event) -> None:
        """A policy announced something about the question at hand."""
        if self.question is None:
            return
        if isinstance(event, RetryScheduled):
            self.question.retries += 1
        elif isinstance(event, HedgeStarted):
            self.question.hedges += 1
        elif isinstance(event, CallShed):
            self.question.shed = True


def outcome_of(error: BaseException) -> str:
    """The public name of how something ended; "INTERNAL" for a defect of ours."""
    if isinstance(error, DatasourceError):
        return error.code
    return CANCELLED if isinstance(error, asyncio.CancelledError) else DatasourceError.code
