"""Whole answers, kept for as long as all that is in them allows.

An answer is found by the bytes of the request, without looking into them; the first time they are
read, and then lead to the operation that they ask. So a GET and a POST of one operation, however it
is spelled, share an answer.

References:
    docs/how-to/response-cache.md; docs/decisions/0027-response-cache.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from bff.graphql.bounded import Bounded
from bff.graphql.outcome import Outcome, Whole
from bff.graphql.request import Question
from bff.graphql.shared_execution import SharedExecution
from datasources.clock import Clock
from datasources.resilience.writes import Writes
from schema.cache_control import CachePolicy, CacheScope
from schema.context import Viewer

MAX_BYTES = 33_554_432
MAX_ITEM_BYTES = 262_144

_ENTRY_BYTES = 1_800
"""What an answer takes besides its body (measured with tracemalloc, both media types used)."""

_REQUEST_BYTES = 400
"""What a request takes besides its bytes (measured likewise)."""

_Name = tuple[bytes, str, frozenset[str] | None]
"""An operation, for whom it is kept ("" for all), and what the tokens of those must allow; None for
those who have no token."""

Request = tuple[str, bytes]
"""A method, and the body or the query string of a request by it."""

Execute = Callable[[], Coroutine[Any, Any, Outcome]]


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation that may be answered with what is kept.

    Attributes:
        digest: Of the document, the operation's name, the variables and what an error does.
        policy: Of the operation; it may be kept for more than 0 seconds.
    """

    digest: bytes
    policy: CachePolicy

    def name(self, viewer: Viewer | None) -> _Name | None:
        """Under which *viewer* finds the answer; None where nobody would have it to himself.

        Only those whose tokens allow the same share one, for what they may see may differ.
        """
        if self.policy.scope is CacheScope.PUBLIC:
            return (self.digest, "", None if viewer is None else viewer.scopes)
        return None if viewer is None else (self.digest, viewer.id, viewer.scopes)


class ResponseCache:
    """Keeps whole answers, each for those whom it is for, and lets equal questions share one.

    One for each graph: no two kinds of client have anything in common. What a viewer's mutation may
    have changed is not given to him any more, and not kept: his private answers that were asked for
    before it ended.

    Args:
        max_bytes: Most bytes kept; a ninth of it is for the requests that lead there. 0 keeps
            nothing, and every operation is executed by itself.
        clock: Replaced in tests.
    """

    def __init__(self, *, max_bytes: int, clock: Clock) -> None:
        self._clock = clock
        self._on = max_bytes > 0
        self._requests = Bounded[Request, Asked](max_bytes // 9)
        self._answers = Bounded[_Name, Whole](max_bytes - max_bytes // 9)
        self._flights = SharedExecution[_Name, Outcome | Whole]()
        self._writes = Writes()

    @property
    def bytes_kept(self) -> int:
        """What is kept now, as estimated."""
        return self._answers.size + self._requests.size

    def __len__(self) -> int:
        return len(self._answers)

    def known(self, request: Request, viewer: Viewer | None) -> Whole | None:
        """The answer to a request that was read before, if there is one for *viewer*.

        Whoever asks by GET must have been found to mean it.
        """
        asked = self._requests.get(request)
        return None if asked is None else self._kept(asked.name(viewer))

    def asked(self, request: Request, question: Question, policy: CachePolicy) -> Asked | None:
        """What a request that was read asks; None when its answer may not be kept.

        Args:
            request: The request.
            question: What it says.
            policy: Of the operation that it names.
        """
        if not policy.max_age or not self._on:
            return None
        digest = _digest(question)
        if digest is None:
            return None
        asked = Asked(digest, policy)
        self._requests.put(request, asked, _REQUEST_BYTES + len(request[1]))
        return asked

    async def answer(
        self, asked: Asked, viewer: Viewer | None, due: float, execute: Execute
    ) -> Outcome | Whole:
        """What is kept, what somebody else has just asked for, or what comes of *execute*.

        What is not whole is for nobody but the one who has begun it; the others, who had as much
        time as he, execute for themselves with what is left of theirs.

        Args:
            asked: The operation.
            viewer: Who asks.
            due: When he must be answered (monotonic seconds); *execute* keeps to it.
            execute: Executes the operation for him.
        """
        name = asked.name(viewer)
        kept = self._kept(name)
        if kept is not None:
            return kept
        make = partial(self._make, asked.policy, name, execute)
        if name is None:
            return await make()
        flight = self._flights.joinable(name, due=due, written=self._written(name))
        if flight is None:
            return await self._flights.begin(name, make, due=due, asked=self._writes.now())
        outcome = await self._flights.join(flight)
        if isinstance(outcome, Whole) and self._clock.monotonic() < outcome.until:
            return outcome
        return await make()

    def wrote(self, viewer: Viewer | None) -> None:
        """A mutation of *viewer* has ended, whatever came of it."""
        if viewer is not None:
            self._writes.note(viewer.id)

    async def _make(
        self, policy: CachePolicy, name: _Name | None, execute: Execute
    ) -> Outcome | Whole:
        began, asked = self._clock.monotonic(), self._writes.now()
        outcome = await execute()
        if not outcome.whole:
            return outcome
        if name is None or asked < self._written(name):
            return Whole(outcome.body)
        made = Whole(outcome.body, policy, said=began - outcome.age, asked=asked)
        self._keep(name, made)
        return made

    def _keep(self, name: _Name, made: Whole) -> None:
        if len(made.body) > MAX_ITEM_BYTES or self._clock.monotonic() >= made.until:
            return
        there = self._answers.get(name)
        if there is None or there.until <= made.until:
            self._answers.put(name, made, _ENTRY_BYTES + len(made.body))

    def _kept(self, name: _Name | None) -> Whole | None:
        if name is None:
            return None
        kept = self._answers.get(name)
        if kept is None:
            return None
        if self._clock.monotonic() >= kept.until or kept.asked < self._written(name):
            self._answers.drop(name)
            return None
        return kept

    def _written(self, name: _Name) -> int:
        """When the viewer whom it is kept for has written last; never, for all."""
        return self._writes.last(name[1]) if name[1] else 0


def _digest(question: Question) -> bytes | None:
    """None for variables that cannot be written down again, such as very deep ones."""
    said = (question.query, question.operation_name, question.on_error, question.variables or {})
    try:
        written = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None
    return hashlib.sha256(written).digest()
