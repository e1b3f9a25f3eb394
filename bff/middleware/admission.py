"""At the door of the graph: who is let in, who waits a moment, who is told to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from bff.graphql.negotiation import response_type, wants_page
from bff.graphql.refusal import JSON, Answer, coded, errors_only
from bff.middleware.bodies import Bodies
from bff.pressure import Full, Place, Pressure
from datasources.clock import Clock

T = TypeVar("T")

_log = structlog.get_logger()

_TOLD_SECONDS = 10.0

_REFUSAL = errors_only(
    [coded("There is too much to do: try again in a moment.", "OVERLOADED", retryable=True)]
)


class Visit:
    """One request at the door, on its way in and out.

    A place is taken when the body is there, not before: nobody has proved anything yet, and who
    sends half of a body must not keep others out with it.

    Args:
        pressure: Where the place is.
        bodies: Bounds those that are on their way.
        write: Whether the caller says that something will be changed.
        clock: Replaced in tests.

    Attributes:
        arrived: When the request came (monotonic seconds); its deadline counts from then.
    """

    def __init__(self, pressure: Pressure, bodies: Bodies, *, write: bool, clock: Clock) -> None:
        self._pressure = pressure
        self._bodies = bodies
        self._write = write
        self._place: Place | None = None
        self._clock = clock
        self.arrived = clock.monotonic()

    def check(self) -> None:
        """Raises `Full` when there would be no place now."""
        self._pressure.check(write=self._write)

    async def body(self, reading: Coroutine[Any, Any, T], seconds: float) -> T:
        """What *reading* the body gives in so many *seconds*.

        Raises:
            Full: It must make room for others.
            TimeoutError: It has not arrived in time.
        """
        return await self._bodies.arrival(reading, seconds)

    async def begin(self, patience: float) -> None:
        """Take a place, and wait for a turn; raises `Full` when there is none in time.

        Args:
            patience: For how long after it has arrived the caller waits (seconds).
        """
        self._place = self._pressure.enter(write=self._write)
        if self._place.turn is None:
            return
        left = self.arrived + patience - self._clock.monotonic()
        await asyncio.wait([self._place.turn], timeout=max(0.0, left))
        if not self._place.turn.done():
            self._place.turn.cancel()
            raise Full

    def end(self) -> None:
        """Give the place back, if one was taken."""
        if self._place is not None:
            self._pressure.leave(self._place)


class Admission:
    """Answer 503 when there is no room, if it can be before anything of the request is looked at.

    Neither the body has then been read nor the token verified. What a request will change cannot
    be known that early, but who sends an `Idempotency-Key` says that it changes something: such a
    request is refused last. Who is not refused takes a place when the body has arrived: the graph
    does that, by `visit_of`, and whoever finds that there is none left then is refused here too.

    Refusals are logged in one line for all of ten seconds: there are many, and no time.

    Args:
        app: The graph.
        pressure: Knows whether there is room.
        has_page: Whether a browser is given the explorer there, which always has room.
        clock: Replaced in tests.
    """

    def __init__(self, app: ASGIApp, pressure: Pressure, *, has_page: bool, clock: Clock) -> None:
        self._app = app
        self._pressure = pressure
        self._bodies = Bodies(pressure.operations)
        self._has_page = has_page
        self._clock = clock
        self._refused = 0
        self._tell_at = clock.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, or refuse."""
        visit = Visit(
            self._pressure,
            self._bodies,
            write=scope["method"] == "POST" and _header(scope, b"idempotency-key") is not None,
            clock=self._clock,
        )
        scope.setdefault("state", {})["visit"] = visit
        try:
            if not self._wants_page(scope):
                visit.check()
            await self._app(scope, receive, send)
        except Full:
            self._tell()
            await _refusal(_accept(scope)).send(send)
        finally:
            visit.end()

    def _wants_page(self, scope: Scope) -> bool:
        return self._has_page and scope["method"] == "GET" and wants_page(_accept(scope))

    def _tell(self) -> None:
        self._refused += 1
        now = self._clock.monotonic()
        if now >= self._tell_at:
            _log.warning(
                "operations refused",
                refused=self._refused,
                under_way=self._pressure.under_way,
                waiting=self._pressure.waiting,
            )
            self._refused = 0
            self._tell_at = now + _TOLD_SECONDS


def visit_of(scope: Scope) -> Visit:
    """What the door knows of the request of *scope*."""
    return cast("Visit", scope["state"]["visit"])


def _refusal(accept: str) -> Answer:
    return Answer(
        status=503,
        body=_REFUSAL,
        media_type=response_type(accept) or JSON,
        headers={"Retry-After": "1"},
    )


def _accept(scope: Scope) -> str:
    return (_header(scope, b"accept") or b"").decode("latin-1")


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"]):
        if name == wanted:
            return value
    return None
