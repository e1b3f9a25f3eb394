"""Connections to one origin, kept for the next request."""

from __future__ import annotations

import asyncio
import math
import random
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from datasources.transport.connection import Connection
from datasources.transport.exchange import Reply
from datasources.transport.head import FieldLines, encode_request, field_lines
from datasources.transport.reader import ResponseLimits

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


class OriginTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 to one origin. Implements `exchange.Exchange`, which costs least, and httpx's seam.

    There is no queue: whoever bounds the callers bounds the connections. The connection used last
    is used next, so that those a quiet hour does not need grow old. A connection whose request
    failed, was cancelled or left anything unclear is discarded, never repaired.

    Before a kept connection is used, it is asked whether the server has left, or has said something
    that nobody had asked for. A server may still leave at that very moment. A request that it
    has not begun to answer is then sent once more on a new connection, if it may be repeated:
    here, because that is no failure of the service, and must cost it neither its breaker nor its
    retry budget. But five times in five seconds at most: a server that leaves more often is not
    well, and who asks is told.

    Responses come with their whole body, still in its content coding. How long that may take is for
    whoever asks to decide, with `asyncio.timeout`. Behind httpx's seam a request's `read` limit
    bounds all of it, not one silence: a server that sends a byte now and then is stopped too.

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

    async def exchange(
        self, method: str, target: bytes, lines: FieldLines, body: bytes | None
    ) -> Reply:
        """See `exchange.Exchange`.

        Raises:
            httpx.ConnectError: Refused, no such name, no TLS, or this transport is closed.
            httpx.LocalProtocolError: The request cannot be sent as one.
            httpx.PoolTimeout: More in flight than *most_requests*.
            httpx.ReadError: The connection was lost.
            httpx.RemoteProtocolError: The response is cut short, or cannot be understood in one
                way only.
            ResponseTooLarge: It is past a limit.
        """
        request = encode_request(method, target, self._authority, lines, body)
        if self._in_flight >= self._most_requests:
            raise httpx.PoolTimeout(f"{self._in_flight} requests in flight")
        loop = asyncio.get_running_loop()
        if self._closed or self._loop is not loop:
            self._enter(loop)
        to_head = method == "HEAD"
        self._in_flight += 1
        try:
            connection = self._kept()
            if connection is not None:
                try:
                    return await self._asked(connection, request, to_head=to_head)
                except (httpx.RemoteProtocolError, httpx.ReadError):
                    if not (connection.hung_up and self._may_send_again(method)):
                        raise
            connection = await self._connect(loop)
            return await self._asked(connection, request, to_head=to_head)
        finally:
            self._in_flight -= 1

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`; the response's stream has been received whole.

        Raises:
            httpx.LocalProtocolError: The request is for another origin.
            httpx.ReadTimeout: No response within the request's `read` limit.
            httpx.TransportError: As `exchange`.
        """
        url = request.url
        if url.netloc != self._authority or url.scheme != self._scheme:
            ours = f"{self._scheme}://{self._authority.decode()}"
            raise httpx.LocalProtocolError(f"only requests to {ours} are served", request=request)
        fields = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.headers.raw]
        body = await request.aread()
        limit: float | None = request.extensions.get("timeout", {}).get("read")
        bound = asyncio.timeout(limit)
        try:
            async with bound:
                reply = await self.exchange(request.method, url.raw_path, field_lines(fields), body)
        except TimeoutError:
            raise httpx.ReadTimeout(f"no response in {limit} s", request=request) from None
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

    def _enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to *loop* from now on, if to none yet."""
        if self._closed or self._loop is not None:
            raise httpx.ConnectError("the transport is closed, or belongs to another event loop")
        self._loop = loop

    async def _asked(self, connection: Connection, request: bytes, *, to_head: bool) -> Reply:
        try:
            reply = await connection.ask(request, to_head=to_head)
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

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> Connection:
        connection = Connection(self._limits, loop, self._lost)
        try:
            await self._open_socket(loop, lambda: connection)
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
