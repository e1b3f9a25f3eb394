"""One connection, one request at a time."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import cast

import httpx

from datasources.transport.exchange import Reply
from datasources.transport.reader import ResponseLimits, ResponseReader


class Connection(asyncio.Protocol):
    """Writes a request at once, and settles one future when the response is whole.

    A request is written without waiting for the socket to take it: its body is in memory already,
    and no second one follows it. Nothing here is bounded in time: whoever waits, decides how long,
    and aborts what he does not wait for any more.

    Args:
        limits: Of each response.
        loop: The one it is opened in.
        on_lost: Told when its socket is closed.
    """

    __slots__ = (
        "_arrivals",
        "_future",
        "_limits",
        "_loop",
        "_on_lost",
        "_reader",
        "_transport",
        "hung_up",
        "idle_since",
        "lost",
        "retire_at",
        "usable",
    )

    def __init__(
        self,
        limits: ResponseLimits,
        loop: asyncio.AbstractEventLoop,
        on_lost: Callable[[Connection], None],
    ) -> None:
        self._limits = limits
        self._loop = loop
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._arrivals: select.poll
        self._reader: ResponseReader
        self._future: asyncio.Future[Reply] | None = None
        self.usable = False
        """Whether a request may be sent; after a response, whether another one may."""
        self.lost = False
        """Whether the socket is closed; it was open before that."""
        self.hung_up = False
        """Whether the peer left before it sent a byte of the response that was due."""
        self.idle_since = 0.0
        """Kept here for the pool."""
        self.retire_at = 0.0
        """As `idle_since`."""

    def ask(self, request: bytes, *, to_head: bool) -> asyncio.Future[Reply]:
        """Send *request*; whoever stops waiting for the reply must `abort`.

        Args:
            request: Head and body.
            to_head: Whether the method is HEAD.

        Raises:
            httpx.ReadError: The connection was lost before this.
        """
        transport = self._transport
        if transport is None or not self.is_open():
            raise httpx.ReadError("the connection was lost before it was used")
        self._future = future = self._loop.create_future()
        self._reader.begin(to_head=to_head)
        transport.write(request)
        return future

    def abort(self, reason: httpx.TransportError | None = None) -> None:
        """Close at once, whatever is under way; *reason* goes to who waits for a response."""
        self.usable = False
        self._settle(reason)
        if self._transport is not None:
            self._transport.abort()

    def is_open(self) -> bool:
        """Whether a request may be sent; uvloop closes a while before it tells of the loss."""
        return self.usable and self._transport is not None and not self._transport.is_closing()

    def is_quiet(self) -> bool:
        """Whether neither bytes nor the peer's farewell have arrived that the loop has yet to see.

        One system call, against a request that is lost and an answer to a question of nobody's.
        Only while `is_open`: the number of a closed socket may be another one's by now.
        """
        return not self._arrivals.poll(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self._reader = ResponseReader(self._limits)
        self._arrivals = select.poll()
        self._arrivals.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        self.usable = True

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._future is None:
            self.abort()  # nobody asked
            return
        reader = self._reader
        try:
            complete = reader.feed(data)
        except httpx.RemoteProtocolError as exc:
            self.abort(exc)
            return
        if complete:
            # A response to half a request leaves the other half in the way of the next one.
            sent = self._transport is not None and not self._transport.get_write_buffer_size()
            self.usable = reader.reusable and sent
            self._settle(reader.reply)

    def eof_received(self) -> None:
        """See `asyncio.Protocol`; the loop closes the transport after this.

        Behind TLS the end of the connection never ends a response: asyncio does not tell a proper
        closure from one that an attacker made (RFC 9112 §9.8).
        """
        self.usable = False
        if self._reader.ends_with_connection and not self._is_encrypted():
            self._settle(self._reader.reply)
        else:
            self._break(httpx.RemoteProtocolError("the server closed the connection too early"))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        self.usable = False
        self.lost = True
        self._break(httpx.ReadError("the connection was lost" if exc is None else str(exc)))
        self._reader.dismiss()
        self._on_lost(self)

    def _is_encrypted(self) -> bool:
        return (
            self._transport is not None and self._transport.get_extra_info("sslcontext") is not None
        )

    def _break(self, error: httpx.TransportError) -> None:
        if self._future is not None:
            self.hung_up = not self._reader.begun
            self._settle(error)

    def _settle(self, outcome: Reply | httpx.TransportError | None) -> None:
        """End the exchange; None when nobody waits for it any more."""
        future = self._future
        self._future = None
        if future is None or future.done():
            return
        if isinstance(outcome, Reply):
            future.set_result(outcome)
        elif outcome is not None:
            future.set_exception(outcome)
