"""Make a service fail, as services do.

The switch stands in front of everything that a service does. What it breaks has had no effect:
an error, a reset, garbage or a hang comes *instead of* the service. Latency, and a hang that is
healed, come *before* it: whoever gave up waiting does not know that the service did it after all.

References:
    `PUT /faults`, `GET /faults`, `DELETE /faults` in tests/contract/openapi/.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

RESET = "examples.upstreams.reset"
"""ASGI extension of a server that can reset the connection: `{"abort": Callable[[], None]}`."""

Sleep: TypeAlias = Callable[[float], Awaitable[None]]

_REMEMBERED = 10_000


class ConnectionAborted(ConnectionResetError):
    """The answer is a reset, and the server has no connection to reset: it runs in-process."""


class FaultPlan(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How to fail; what is absent is well.

    Several at once are taken in this order: latency, hang, reset, error, garbage.

    Attributes:
        latency_seconds: How long every request waits first.
        error_rate: Which part of the requests is answered with `status`.
        status: The status of an error.
        hang: No answer until the client goes, or the fault.
        garbage: 200 with a body that is not JSON.
        reset: The connection is reset (RST) without an answer.
    """

    latency_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    error_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    hang: bool = False
    garbage: bool = False
    reset: bool = False


WELL = FaultPlan()


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that arrived, whatever became of it.

    Attributes:
        method: As sent.
        path: Without the query.
        query: As sent, without the question mark.
        at: When it arrived.
    """

    method: str
    path: str
    query: str
    at: datetime


class Faults:
    """The switch of one service, and its record of requests.

    Args:
        chance: Decides which requests an error rate hits.
        sleep: Waits for the latency (seconds).
        now: The instant, aware.
    """

    def __init__(
        self,
        chance: random.Random,
        sleep: Sleep,
        now: Callable[[], datetime],
    ) -> None:
        self._chance = chance
        self._sleep = sleep
        self._now = now
        self._plan = WELL
        self._changed = asyncio.Event()
        self.requests: deque[RecordedRequest] = deque(maxlen=_REMEMBERED)

    @property
    def plan(self) -> FaultPlan:
        """How it fails now."""
        return self._plan

    @plan.setter
    def plan(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._changed.set()
        self._changed = asyncio.Event()

    def heal(self) -> None:
        """Be well at once: whoever hangs or waits is served."""
        self.plan = WELL

    def record(self, method: str, path: str, query: str) -> None:
        """Remember a request."""
        self.requests.append(RecordedRequest(method, path, query, self._now()))

    async def delay(self, inbox: Inbox) -> bool:
        """Wait as the plan says.

        Returns:
            Whether somebody is still there to be answered.
        """
        if self._plan.latency_seconds:
            await _first(_awaited(self._sleep(self._plan.latency_seconds)), self._changed.wait())
        while self._plan.hang and not inbox.disconnected:
            await _first(self._changed.wait(), inbox.until_disconnected())
        return not inbox.disconnected

    def hits(self) -> bool:
        """Whether this request is one that the error rate hits."""
        return self._chance.random() < self._plan.error_rate


class Inbox:
    """What the client sends, kept while nobody reads it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: deque[Message] = deque()
        self.disconnected = False

    async def receive(self) -> Message:
        """As ASGI's `receive`."""
        return self._kept.popleft() if self._kept else await self._receive()

    async def until_disconnected(self) -> None:
        """Return when the client is gone."""
        while not self.disconnected:
            message = await self._receive()
            self._kept.append(message)
            self.disconnected = message["type"] == "http.disconnect"


class FaultSwitch:
    """Record every request, then break it if the plan says so.

    `/livez`, `/faults` and `/requests` are never recorded, and never fail.
    """

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in {"/livez", "/faults", "/requests"}:
            await self._app(scope, receive, send)
            return
        faults = self._faults
        faults.record(scope["method"], scope["path"], scope["query_string"].decode("latin-1"))
        inbox = Inbox(receive)
        if not await faults.delay(inbox):
            return
        if faults.plan.reset:
            await _reset(scope, inbox)
        elif faults.hits():
            body = b'{"error":{"code":"FAULT","message":"told to fail"}}'
            status = faults.plan.status
            await Response(body, status, media_type="application/json")(scope, receive, send)
        elif faults.plan.garbage:
            body = b'{"id": <html>'
            await Response(body, media_type="application/json")(scope, receive, send)
        else:
            await self._app(scope, inbox.receive, send)


async def _reset(scope: Scope, inbox: Inbox) -> None:
    extension = scope.get("extensions", {}).get(RESET)
    if extension is None:
        raise ConnectionAborted("reset, as told")
    extension["abort"]()
    await inbox.until_disconnected()


async def _first(*waiting: Coroutine[Any, Any, object]) -> None:
    """Wait for any one; nothing of the others is left over."""
    tasks = [asyncio.ensure_future(each) for each in waiting]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _awaited(awaitable: Awaitable[object]) -> None:
    await awaitable


def is_loopback(scope: Scope) -> bool:
    """Whether the caller is on this machine."""
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
