"""Five services in memory, each behind httpx's transport seam."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx

from datasources.transport.errors import ResponseTooLarge
from tests.simulation.exchanges import Exchange, Exchanges, Key
from tests.simulation.truth import Truth
from tests.simulation.weather import Climate

_PATHS = (
    (re.compile(r"/users/([\w-]+)$"), "user"),
    (re.compile(r"/orders/([\w-]+)$"), "order"),
    (re.compile(r"/payments/([\w-]+)$"), "payment"),
)
_FOREVER = 86_400.0
_ERRORS = {
    "refuse": httpx.ConnectError,
    "reset": httpx.ReadError,
    "reset-late": httpx.ReadError,
    "truncate": httpx.RemoteProtocolError,
    "oversized": ResponseTooLarge,
}
_BEFORE = {"refuse", "reset", "hang"}
"""What goes wrong before the service has done anything."""


class Service(httpx.AsyncBaseTransport):
    """One service: tells the truth, when the weather lets it.

    Args:
        name: Such as "orders".
        truth: What it knows.
        climate: How well it is.
        exchanges: Where it notes what is said.
        now: The instant (seconds).
        calendar: The same, for people.
        note: Told of every line of the history.
        arrives: Told of every exchange when it begins.
        ends: Told of every exchange when it is over.
    """

    def __init__(
        self,
        name: str,
        truth: Truth,
        climate: Climate,
        exchanges: Exchanges,
        *,
        now: Callable[[], float],
        calendar: Callable[[], datetime],
        note: Callable[[str], None],
        arrives: Callable[[Exchange], None],
        ends: Callable[[Exchange], None],
    ) -> None:
        self.name = name
        self.truth = truth
        self.climate = climate
        self.exchanges = exchanges
        self.now, self.calendar, self.note = now, calendar, note
        self.arrives, self.ends = arrives, ends

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, some time."""
        exchange = self.exchanges.begin(lambda number: self._read(number, request))
        self.arrives(exchange)
        fault, latency = self.climate.fate(exchange.started)
        self.note(f"{exchange} is sent; fate: {fault or 'well'}, {latency:.6f} s")
        try:
            await asyncio.sleep(latency)
            return await self._reply(exchange, request, fault)
        except asyncio.CancelledError:
            self._end(exchange, "left")
            raise
        except httpx.HTTPError:
            self._end(exchange, fault)
            raise

    def _read(self, number: int, request: httpx.Request) -> Exchange:
        token = request.headers["authorization"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(token + "=="))
        assert claims["aud"] == self.name, "a token for another service"
        return Exchange(
            number=number,
            service=self.name,
            method=request.method,
            target=request.url.raw_path.decode(),
            request=request.headers["x-request-id"],
            principal="" if claims["sub"] == "bff" else claims["sub"],
            keys=_keys(request),
            attempt=int(request.headers["x-attempt"]),
            allowed=int(request.headers["x-request-timeout-ms"]) / 1000,
            idempotency=request.headers.get("idempotency-key"),
            started=self.now(),
        )

    def _end(self, exchange: Exchange, outcome: str) -> None:
        self.exchanges.end(exchange, outcome, self.now(), self.calendar())
        self.ends(exchange)
        self.note(f"exchange {exchange.number} ends: {outcome}")

    async def _reply(self, exchange: Exchange, request: httpx.Request, fault: str) -> Any:
        if fault == "hang":
            await asyncio.sleep(_FOREVER)
        if fault in _ERRORS and fault in _BEFORE:
            raise _ERRORS[fault](fault)
        if fault[:3].isdecimal() and fault not in {"204", "302"}:
            return self._refusal(exchange, fault)
        status, body = self._work(exchange, request)
        if fault == "hang-late":
            await asyncio.sleep(_FOREVER)
        if fault in {"reset-late", "oversized"}:
            raise _ERRORS[fault](fault)
        content = json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        outcome = "said" if status < 300 else str(status)
        if fault == "foreign":
            other = "bob" if exchange.principal == "ann" else "ann"
            spoilt = content.replace(exchange.principal.encode() or b"-", other.encode())
            content, outcome = spoilt, fault if spoilt != content else outcome
        elif fault in _SPOILT:
            status, headers, content = _SPOILT[fault](headers, content)
            outcome = fault
        if outcome == "said":
            exchange.said = _said(exchange, body)
        stream = _Body(content, fault, lambda end: self._end(exchange, end or outcome))
        return httpx.Response(status, headers=headers, stream=stream)

    def _refusal(self, exchange: Exchange, fault: str) -> httpx.Response:
        status, _, when = fault.partition("-")
        headers = {}
        if when == "after":
            headers["retry-after"] = "1"
        elif when == "date":
            later = self.calendar().astimezone(UTC) + timedelta(seconds=2)
            headers["retry-after"] = format_datetime(later, usegmt=True)
        stream = _Body(b"{}", "", lambda end: self._end(exchange, end or status))
        return httpx.Response(int(status), headers=headers, stream=stream)

    def _work(self, exchange: Exchange, request: httpx.Request) -> tuple[int, Any]:
        now = self.now()
        if request.method == "GET":
            question = _question(request)
            owner = question[1] if question[0] in {"orders", "page", "notes", "user"} else None
            assert owner in {None, exchange.principal}, "one user's list for another"
            return self.truth.say(question, exchange.principal, now)
        if request.url.path == "/orders":
            body = json.loads(request.content)
            assert body["userId"] == exchange.principal, "an order for somebody else"
            return self.truth.place(exchange.idempotency or "", body, exchange.request, now)
        return self.truth.mark_read(request.url.path.split("/")[2], exchange.principal, now)


class _Body(httpx.AsyncByteStream):
    """Bytes that may trickle or break off; tells once how they ended."""

    def __init__(self, content: bytes, fault: str, ended: Callable[[str], None]) -> None:
        self._content, self._fault, self._ended = content, fault, ended
        self._open = True

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        outcome = "left"
        try:
            if self._fault == "trickle":
                for _ in range(4):
                    yield b" "
                    await asyncio.sleep(0.9)
            if self._fault == "truncate":
                yield self._content[: len(self._content) // 2]
                outcome = "truncate"
                raise httpx.RemoteProtocolError("truncated")
            outcome = ""
            yield self._content
        finally:
            self._end(outcome)

    async def aclose(self) -> None:
        self._end("")

    def _end(self, outcome: str) -> None:
        if self._open:
            self._open = False
            self._ended(outcome)


def _question(request: httpx.Request) -> Key:
    path, params = request.url.path, request.url.params
    for pattern, kind in _PATHS:
        if found := pattern.match(path):
            return (kind, found[1])
    if path == "/products":
        return ("products", tuple(params["ids"].split(",")))
    limit = int(params["limit"])
    if path == "/notifications":
        return ("notes", params["userId"], "unread" in params, limit)
    if path == "/orders":
        return ("page" if "after" in params else "orders", params["userId"], limit)
    raise AssertionError(f"nobody asks for {path}")


def _keys(request: httpx.Request) -> tuple[Key, ...]:
    if request.method == "POST":
        return (("write", request.url.path),)
    question = _question(request)
    if question[0] == "products":
        return tuple(("product", product) for product in question[1])
    return (question,)


def _said(exchange: Exchange, body: Any) -> dict[Key, Any]:
    keys = exchange.keys
    if keys[0][0] == "product":
        by_id = {product["id"]: product for product in body}
        return {key: by_id.get(key[1]) for key in keys}
    if keys[0][0] == "order" and body["userId"] != exchange.principal:
        return dict.fromkeys(keys)  # a service that tells strangers must not be believed
    return dict.fromkeys(keys, body)


_SPOILT: dict[str, Callable[[dict[str, str], bytes], tuple[int, dict[str, str], bytes]]] = {
    "garbage": lambda headers, content: (200, headers, content[:-1] + b"\xff"),
    "html": lambda _, __: (200, {"content-type": "text/html"}, b"<h1>Hello</h1>"),
    "gzip": lambda headers, content: (200, headers | {"content-encoding": "gzip"}, content),
    "204": lambda headers, _: (204, headers, b""),
    "302": lambda headers, content: (302, headers | {"location": "/login"}, content),
}
