"""One connection, one request at a time."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import cast

import httpx

from datasources.transport.reader import Reply, ResponseLimits, ResponseReader


class Connection(asyncio.Protocol):
    """Writes a request at once, and settles one future when the response is whole.

    A request is written without waiting for the socket to take it: its body is in memory already,
    and no second one follows it. What the peer does not read is bounded in time, not in bytes: the
    write limit runs while the transport holds more than its high-water mark, the read limit
    otherwise. Both restart with every progress, so only the caller's deadline stops a drip.

    Args:
        limits: Of each response.
        loop: The one it is opened in.
        on_lost: Told when its socket is closed.
    """

    __slots__ = (
        "_future",
        "_limits",
        "_loop",
        "_moved_at",
        "_on_lost",
        "_read_limit",
        "_reader",
        "_timer",
        "_transport",
        "_write_limit",
        "_writing",
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
        self._reader: ResponseReader | None = None
        self._future: asyncio.Future[Reply] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._read_limit: float | None = None
        self._write_limit: float | None = None
        self._moved_at = 0.0
        self._writing = False
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

    def ask(
        self, request: bytes, *, to_head: bool, read: float | None, write: float | None
    ) -> asyncio.Future[Reply]:
        """Send *request*; whoever stops waiting for the reply must `abort`.

        Args:
            request: Head and body.
            to_head: Whether the method is HEAD.
            read: Longest silence while waiting (seconds).
            write: Longest time in which the peer takes nothing (seconds).

        Raises:
            httpx.ReadError: The connection was lost before this.
        """
        if self._transport is None or not self.is_open():
            raise httpx.ReadError("the connection was lost before it was used")
        self._future = future = self._loop.create_future()
        self._read_limit, self._write_limit = read, write
        self._reader = ResponseReader(self._limits, to_head=to_head)
        self._transport.write(request)
        self._moved()
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
        """
        if self._transport is None:
            return False
        arrivals = select.poll()
        arrivals.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not arrivals.poll(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self.usable = True

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        reader = self._reader
        if reader is None:
            self.abort()  # nobody asked
            return
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
        else:
            self._moved()

    def eof_received(self) -> None:
        """See `asyncio.Protocol`; the loop closes the transport after this.

        Behind TLS the end of the connection never ends a response: asyncio does not tell a proper
        closure from one that an attacker made (RFC 9112 §9.8).
        """
        self.usable = False
        reader = self._reader
        if reader is not None and reader.ends_with_connection and not self._is_encrypted():
            self._settle(reader.reply)
        else:
            self._break(httpx.RemoteProtocolError("the server closed the connection too early"))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        self.usable = False
        self.lost = True
        self._break(httpx.ReadError("the connection was lost" if exc is None else str(exc)))
        self._on_lost(self)

    def pause_writing(self) -> None:
        """See `asyncio.BaseProtocol`; comes within `ask`, the only one that writes."""
        self._writing = True

    def resume_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        self._writing = False
        self._stop_timer()
        self._moved()

    def _is_encrypted(self) -> bool:
        return (
            self._transport is not None and self._transport.get_extra_info("sslcontext") is not None
        )

    def _break(self, error: httpx.TransportError) -> None:
        if self._reader is not None:
            self.hung_up = not self._reader.begun
            self._settle(error)

    def _settle(self, outcome: Reply | httpx.TransportError | None) -> None:
        """End the exchange; None when nobody waits for it any more."""
        self._stop_timer()
        if self._reader is not None:
            self._reader.dismiss()
        future = self._future
        self._reader = self._future = None
        if future is None or future.done():
            return
        if isinstance(outcome, Reply):
            future.set_result(outcome)
        elif outcome is not None:
            future.set_exception(outcome)

    def _moved(self) -> None:
        """Something was sent or has arrived: the limit begins anew."""
        limit = self._write_limit if self._writing else self._read_limit
        if self._future is None or limit is None:
            return
        self._moved_at = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(limit, self._check, limit)

    def _check(self, limit: float) -> None:
        left = self._moved_at + limit - self._loop.time()
        if left > 0.0:
            self._timer = self._loop.call_later(left, self._check, limit)
            return
        self._timer = None
        late = httpx.WriteTimeout if self._writing else httpx.ReadTimeout
        self.abort(late(f"nothing moved for {limit:g} s"))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
