"""A TCP proxy on loopback that breaks what passes through it.

It knows bytes and connections; of HTTP only where an answer and its head end, so that it can cut
one in the middle of its body, or leave between two.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

_AT_ONCE = 65_536
_LINGER_NOT = struct.pack("ii", 1, 0)
_STEPS_PER_SECOND = 50
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Swallow(Enum):
    """What never comes out at the other side; the connection stays open."""

    NOTHING = auto()
    REQUESTS = auto()
    """The service never hears of them."""
    ANSWERS = auto()
    """The service has done what it was asked, and nobody learns of it."""


class Cut(Enum):
    """How an answer ends too early."""

    NOT = auto()
    RESET = auto()
    """With RST."""
    CLOSE = auto()
    """With FIN, as if that were all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a proxy does to answers; durations in seconds.

    Attributes:
        latency: Before the first byte of each answer.
        jitter: Up to so much more, at random.
        bytes_per_second: At most; 0 is no limit.
        slice_bytes: Pieces that an answer is written in; 0 is as it comes.
        slice_pause: Between the pieces.
        swallow: See `Swallow`.
        cut: See `Cut`.
        cut_after: Bytes of the body that still pass; below 0 not even the head does.
        slow_close: Between the end of one side and the end of the other.
        hang_up: So long after an answer the connection ends, unless it is used again; 0 is never.
        refused: Nothing listens, and connections that were there are reset.
    """

    latency: float = 0.0
    jitter: float = 0.0
    bytes_per_second: int = 0
    slice_bytes: int = 0
    slice_pause: float = 0.0
    swallow: Swallow = Swallow.NOTHING
    cut: Cut = Cut.NOT
    cut_after: int = 0
    slow_close: float = 0.0
    hang_up: float = 0.0
    refused: bool = False


WELL = Fault()

Rule = Callable[[int], Fault]
"""The fault of the n-th connection, from 1, since the rule was made."""


class Proxy:
    """Stands in front of one address.

    Args:
        host: Of the service.
        port: As *host*.
        chance: For jitter.
    """

    def __init__(self, host: str, port: int, chance: random.Random) -> None:
        self._service = (host, port)
        self._chance = chance
        self._fault = WELL
        self._rule: Rule | None = None
        self._nth = 0
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        # Bound, never listening: keeps the port ours while connections to it are refused.
        self._place = _bound(0)
        self.accepted = 0
        """Connections since the start."""

    @property
    def port(self) -> int:
        """Where it is, on 127.0.0.1; stays the same."""
        port: int = self._place.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """Connections now."""
        return len(self._links)

    @property
    def fault(self) -> Fault:
        """What happens now to connections without one of their own."""
        return self._fault

    async def set(self, fault: Fault, *, rule: Rule | None = None) -> None:
        """From here on, also for connections that are open.

        Args:
            fault: For every connection without one of its own.
            rule: Gives connections made from here on one of their own, until the next `set`.
        """
        self._fault = fault
        self._rule = rule
        self._nth = 0
        if fault.refused:
            await self._deafen()
            self.drop()
        elif self._server is None:
            await self._listen()

    async def heal(self) -> None:
        """Be a good proxy; what was swallowed stays swallowed."""
        await self.set(WELL)

    def drop(self) -> None:
        """Reset every connection."""
        for link in tuple(self._links):
            link.reset()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Inside it listens; afterwards none of its sockets is open."""
        with contextlib.closing(self._place):
            await self._listen()
            try:
                yield
            finally:
                await self._deafen()
                self.drop()
                while self._links:  # noqa: ASYNC110, a few passes of the loop
                    await asyncio.sleep(0)

    async def _listen(self) -> None:
        listening = _bound(self.port)
        self._server = await asyncio.start_server(self._accept, sock=listening, limit=_AT_ONCE)

    async def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._nth += 1
        rule = self._rule
        own = WELL if rule is None else rule(self._nth)

        def fault() -> Fault:
            return own if rule is not None and rule is self._rule else self._fault

        link = _Link(reader, writer, fault, self._chance)
        self._links.add(link)
        try:
            await link.carry(*self._service)
        finally:
            self._links.discard(link)


def _bound(port: int) -> socket.socket:
    # Only where the protocol is named does asyncio send small pieces at once (TCP_NODELAY).
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    return sock


class _Link:
    """One connection, and the one behind it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        fault: Callable[[], Fault],
        chance: random.Random,
    ) -> None:
        self._requests = reader
        self._client = writer
        self._fault = fault
        self._chance = chance
        self._answer = _Answer()
        self._leaving: asyncio.TimerHandle | None = None
        self._task = asyncio.current_task()

    async def carry(self, host: str, port: int) -> None:
        """Until either side ends."""
        service: asyncio.StreamWriter | None = None
        try:
            answers, service = await asyncio.open_connection(host, port, limit=_AT_ONCE)
            await _first(self._up(service), self._down(answers))
            await asyncio.sleep(self._fault().slow_close)
        except (OSError, asyncio.CancelledError):
            pass  # either side went, or it was time to: what is left to do is below
        finally:
            self._stay()
            for writer in (self._client, service):
                if writer is not None:
                    writer.close()

    def reset(self) -> None:
        """Close with RST; returns before the service's side is closed."""
        connection = self._client.get_extra_info("socket")
        if connection.fileno() >= 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._client.transport.abort()
        if self._task is not None:
            self._task.cancel()

    async def _up(self, service: asyncio.StreamWriter) -> None:
        while data := await self._requests.read(_AT_ONCE):
            self._stay()
            self._answer = _Answer()
            if self._fault().swallow is not Swallow.REQUESTS:
                service.write(data)
                await service.drain()

    async def _down(self, answers: asyncio.StreamReader) -> None:
        while data := await answers.read(_AT_ONCE):
            fault = self._fault()
            if fault.swallow is not Swallow.NOTHING:
                continue
            if not self._answer.begun:
                await asyncio.sleep(fault.latency + self._chance.uniform(0.0, fault.jitter))
            whole = len(data)
            if fault.cut is not Cut.NOT:
                data = data[: self._answer.before_cut(data, fault.cut_after)]
            self._answer.pass_on(data)
            await self._write(data)
            if len(data) < whole:
                if fault.cut is Cut.RESET:
                    self.reset()
                return
            if fault.hang_up and self._answer.is_whole:
                self._leave_in(fault.hang_up)
        if self._fault().swallow is not Swallow.NOTHING:
            await asyncio.Event().wait()  # that the service has left is swallowed too

    def _leave_in(self, pause: float) -> None:
        if self._task is not None:
            loop = asyncio.get_running_loop()
            self._leaving = loop.call_later(pause, self._task.cancel)

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    async def _write(self, data: bytes) -> None:
        while data:
            fault = self._fault()
            size, pause = fault.slice_bytes or len(data), fault.slice_pause
            if fault.bytes_per_second:
                size = min(size, max(1, fault.bytes_per_second // _STEPS_PER_SECOND))
                pause += min(size, len(data)) / fault.bytes_per_second
            await asyncio.sleep(pause)
            self._client.write(data[:size])
            await self._client.drain()
            data = data[size:]


class _Answer:
    """How much of an answer has passed."""

    def __init__(self) -> None:
        self._passed = b""

    @property
    def begun(self) -> bool:
        return self._passed != b""

    @property
    def is_whole(self) -> bool:
        """As far as its `Content-Length` tells."""
        head, end, body = self._passed.partition(_HEAD_END)
        length = _LENGTH.search(head)
        return end != b"" and length is not None and len(body) >= int(length[1])

    def before_cut(self, data: bytes, cut_after: int) -> int:
        """How many bytes of *data* come before the cut."""
        if cut_after < 0:
            return 0
        so_far = self._passed + data
        head = so_far.find(_HEAD_END)
        if head < 0:
            return len(data)
        return max(0, head + len(_HEAD_END) + cut_after - len(self._passed))

    def pass_on(self, data: bytes) -> None:
        self._passed += data


async def _first(*works: Coroutine[Any, Any, None]) -> None:
    """Until one of *works* is over; nothing of the others is left over."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
