"""At the door of the graph: who is let in, who waits a moment, who is told to come back."""

from __future__ import annotations

from typing import cast

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from bff.graphql.negotiation import response_type, wants_page
from bff.graphql.refusal import JSON, Answer, coded, errors_only
from bff.pressure import Full, Pressure
from datasources.clock import Clock

_log = structlog.get_logger()

_TOLD_SECONDS = 10.0

_REFUSAL = errors_only(
    [coded("There is too much to do: try again in a moment.", "OVERLOADED", retryable=True)]
)


class Admission:
    """Answer 503 when there is no room, before anything of the request is looked at.

    Neither the body has then been read nor the token verified. What a request will change cannot
    be known that early, but who sends an `Idempotency-Key` says that it changes something: such a
    request is refused last.

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
        self._has_page = has_page
        self._clock = clock
        self._refused = 0
        self._tell_at = clock.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, or refuse."""
        if self._has_page and scope["method"] == "GET" and wants_page(_accept(scope)):
            await self._app(scope, receive, send)
            return
        write = scope["method"] == "POST" and _header(scope, b"idempotency-key") is not None
        try:
            turn = self._pressure.enter(write=write)
        except Full:
            self._tell()
            await _refusal(_accept(scope)).send(send)
            return
        try:
            if turn is not None:
                arrived = self._clock.monotonic()
                await turn
                scope.setdefault("state", {})["waited"] = self._clock.monotonic() - arrived
            await self._app(scope, receive, send)
        finally:
            self._pressure.leave()

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


def waited(scope: Scope) -> float:
    """How long the request of *scope* stood at the door (seconds)."""
    return cast("float", scope["state"].get("waited", 0.0))


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
