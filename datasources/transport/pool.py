"""Connections to one origin, kept for the next request."""

from __future__ import annotations

import asyncio
import math
import random
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import httpx

from datasources.transport.connection import Connection
from datasources.transport.head import encode_request
from datasources.transport.reader import Reply, ResponseLimits

_REPEATABLE_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT"})
_REPEATS = 5
_REPEATS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class PoolStats:
    """What a pool holds at one moment.

    Attributes:
        open: Sockets not yet closed, idle ones included.
        idle: Connections that wait for a request.
        in_flight: Requests under way, those that are still connecting included.
        opened: Connections made since the start.
    """

    open: int
    idle: int
    in_flight: int
    opened: int


class _Ask(NamedTuple):
    """One request, as it goes over the wire, and its limits (seconds)."""

    method: str
    wire: bytes
    timeouts: Mapping[str, float | None]


class OriginTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 to one origin.

    There is no queue: whoever bounds the callers bounds the connections. The connection used last
    is used next, so that those a quiet hour does not need grow old. A connection whose request
    failed, was cancelled or left anything unclear is discarded, never repaired.

    Before a kept connection is used, it is asked whether the server has left, or has said something
    that nobody had asked for. A server may still leave at that very moment. A request that it
    has not begun to answer is then sent once more on a new connection, if it may be repeated:
    here, because that is no failure of the service, and must cost it neither its breaker nor its
    retry budget. But five times in five seconds at most: a server that leaves more often is not
    well, and who asks is told.

    Of a request's extensions, `timeout` is honoured: `connect`, `read` and `write`; `pool` has
    nothing to limit. A read limit is one of silence; bound the whole with `asyncio.timeout`.
    Responses come with their whole body, still in its content coding.

    To be used in one event loop. `aclose` fails requests that wait for a response; one that is
    still connecting fails when it has connected.

    Args:
        host: Of the URLs that are served here; also where to connect to.
        port: As *host*.
        tls: With it the scheme is https, without it http.
        server_hostname: The name that the certificate must have; None for *host*.
        unix_socket: Path of a socket to connect to in place of host and port.
        limits: Of each response.
        most_requests: In flight at once, and so most connections; more fail with PoolTimeout.
        idle_seconds: How long a connection is kept unused. Less than the server's own limit (5 s
            for uvicorn and Node), or requests meet connections that are about to close.
        age_seconds: How long a connection is used at all, shortened at random by up to a fifth, so
            that they are not all renewed at once.
        monotonic: Replaced in tests.
        uniform: Replaced in tests.

    References:
        RFC 9110 §9.2.2 (idempotent methods); RFC 9112 §9.3.1 (retrying), §9.6 (closing).
    """

    def __init__(  # noqa: PLR0913 - an address, five numbers and two seams
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
        unix_socket: str | None = None,
        limits: ResponseLimits | None = None,
        most_requests: int = 256,
        idle_seconds: float = 4.0,
        age_seconds: float = 300.0,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        origin = httpx.URL(scheme="http" if tls is None else "https", host=host, port=port)
        self._scheme = origin.scheme
        self._authority = origin.netloc
        self._host = host
        self._port = port
        self._tls = tls
        self._server_hostname = None if tls is None else server_hostname or host
        self._unix_socket = unix_socket
        self._limits = limits or ResponseLimits()
        self._most_requests = most_requests
        self._idle_seconds = idle_seconds
        self._age_seconds = age_seconds
        self._monotonic = monotonic
        self._uniform = uniform
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._in_flight = 0
        self._opened = 0
        self._sent_again: deque[float] = deque((-math.inf,) * _REPEATS, _REPEATS)
        self._closed = False
        self._all_lost = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`; the response's stream has been received whole.

        Raises:
            httpx.ConnectError: Refused, no such name, no TLS, or this transport is closed.
            httpx.ConnectTimeout: Not connected within the `connect` limit.
            httpx.LocalProtocolError: The request cannot be sent as one, or is for another origin.
            httpx.PoolTimeout: More in flight than *most_requests*.
            httpx.ReadError: The connection was lost.
            httpx.ReadTimeout: Silence for longer than the `read` limit.
            httpx.RemoteProtocolError: The response is cut short, or cannot be understood in one
                way only.
            ResponseTooLarge: It is past a limit.
            httpx.WriteTimeout: The server took nothing for longer than the `write` limit.
        """
        url = request.url
        if url.netloc != self._authority or url.scheme != self._scheme:
            ours = f"{self._scheme}://{self._authority.decode()}"
            raise httpx.LocalProtocolError(f"only requests to {ours} are served", request=request)
        wire = encode_request(request, await request.aread(), self._authority)
        ask = _Ask(request.method, wire, request.extensions.get("timeout", {}))
        if self._in_flight >= self._most_requests:
            raise httpx.PoolTimeout(f"{self._in_flight} requests in flight", request=request)
        self._in_flight += 1
        try:
            reply = await self._exchange(ask)
        finally:
            self._in_flight -= 1
        return httpx.Response(
            reply.status,
            headers=reply.fields,
            stream=httpx.ByteStream(reply.body),
            request=request,
        )

    def stats(self) -> PoolStats:
        """For health and for tests; costs nothing."""
        return PoolStats(len(self._open), len(self._idle), self._in_flight, self._opened)

    async def aclose(self) -> None:
        """Close every connection and wait until its socket is closed; refuse whatever comes."""
        self._closed = True
        if not self._open:
            return
        self._all_lost.clear()
        for connection in tuple(self._open):
            connection.abort(httpx.ReadError("the transport was closed"))
        await self._all_lost.wait()

    async def _exchange(self, ask: _Ask) -> Reply:
        loop = asyncio.get_running_loop()
        if self._closed or self._loop not in {None, loop}:
            raise httpx.ConnectError("the transport is closed, or belongs to another event loop")
        self._loop = loop
        kept = self._kept()
        if kept is not None:
            try:
                return await self._ask(kept, ask)
            except (httpx.RemoteProtocolError, httpx.ReadError):
                if not (kept.hung_up and self._may_send_again(ask.method)):
                    raise
        return await self._ask(await self._connect(loop, ask.timeouts.get("connect")), ask)

    async def _ask(self, connection: Connection, ask: _Ask) -> Reply:
        try:
            reply = await connection.ask(
                ask.wire,
                to_head=ask.method == "HEAD",
                read=ask.timeouts.get("read"),
                write=ask.timeouts.get("write"),
            )
        except BaseException:
            connection.abort()
            raise
        if connection.usable:
            connection.idle_since = self._monotonic()
            self._idle.append(connection)
        else:
            connection.abort()
        return reply

    def _may_send_again(self, method: str) -> bool:
        """If so, this counts as done."""
        now = self._monotonic()
        if method not in _REPEATABLE_METHODS or now - self._sent_again[0] < _REPEATS_SECONDS:
            return False
        self._sent_again.append(now)
        return True

    def _kept(self) -> Connection | None:
        now = self._monotonic()
        idle = self._idle
        while idle and now - idle[0].idle_since >= self._idle_seconds:
            idle.popleft().abort()
        while idle:
            connection = idle.pop()
            if connection.is_open() and now < connection.retire_at and connection.is_quiet():
                return connection
            connection.abort()
        return None

    async def _connect(self, loop: asyncio.AbstractEventLoop, limit: float | None) -> Connection:
        connection = Connection(self._limits, loop, self._lost)
        try:
            async with asyncio.timeout(limit):
                await self._open_socket(loop, lambda: connection)
        except TimeoutError as exc:
            raise httpx.ConnectTimeout("no connection in time") from exc
        except (OSError, UnicodeError) as exc:  # TLS failures are of the first kind, names of both
            raise httpx.ConnectError(str(exc) or type(exc).__name__) from exc
        # Counted only now: uvloop never tells of the loss of one whose opening was cancelled.
        if not connection.lost:
            self._open.add(connection)
        self._opened += 1
        if self._closed:
            connection.abort()
            raise httpx.ConnectError("the transport was closed")
        share = self._uniform(0.8, 1.0)
        connection.retire_at = self._monotonic() + self._age_seconds * share
        return connection

    async def _open_socket(
        self, loop: asyncio.AbstractEventLoop, protocol: Callable[[], Connection]
    ) -> None:
        if self._unix_socket is None:
            await loop.create_connection(
                protocol,
                self._host,
                self._port,
                ssl=self._tls,
                server_hostname=self._server_hostname,
            )
        else:
            await loop.create_unix_connection(
                protocol,
                self._unix_socket,
                ssl=self._tls,
                server_hostname=self._server_hostname,
            )

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if not self._open:
            self._all_lost.set()
