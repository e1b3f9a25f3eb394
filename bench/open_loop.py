"""Ask at a fixed rate, whatever the answers do, and note what becomes of each question.

A client that waits for an answer before it asks again asks less of a server that is slow, and so
hides how slow it is. Here every question has its instant; its time runs from then, also while it
waits for a connection.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one question.

    Attributes:
        at: When it was due to be asked (monotonic seconds).
        late: How long after that it was sent (seconds): what the client could not keep up with,
            and what it took to connect.
        seconds: From when it was due to the last byte of the answer.
        status: Of the response; 0 when there was none.
        body: Of the response.
    """

    at: float
    late: float
    seconds: float
    status: int
    body: bytes


class Target:
    """A server, asked over connections that are kept.

    Args:
        url: Of the GraphQL endpoint.
        patience: Longest wait for an answer (seconds).
    """

    def __init__(self, url: str, patience: float = 10.0) -> None:
        where = urlsplit(url)
        self._path = where.path
        self._host = where.hostname or ""
        self._port = where.port or 80
        self._patience = patience
        self._idle: deque[Connection] = deque()

    def wire(self, body: bytes, token: str) -> bytes:
        """One question as it goes over the wire."""
        fields = (
            f"POST {self._path} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            f"Authorization: Bearer {token}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join(fields).encode() + b"\r\n\r\n" + body

    async def ask(self, wire: bytes, at: float) -> Answer:
        """Send one question that was due at *at*."""
        status, body, late = 0, b"", 0.0
        try:
            async with asyncio.timeout(self._patience):
                connection = await self._connection()
                late = time.monotonic() - at
                status, body, again = await _exchange(connection, wire)
            if again:
                self._idle.append(connection)
            else:
                connection[1].close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        return Answer(at, late, time.monotonic() - at, status, body)

    async def _connection(self) -> Connection:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)

    def close(self) -> None:
        """Close what is idle."""
        for _, writer in self._idle:
            writer.close()


async def _exchange(connection: Connection, wire: bytes) -> tuple[int, bytes, bool]:
    reader, writer = connection
    writer.write(wire)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    body = await reader.readexactly(length)
    return int(head.split(b" ", 2)[1]), body, b"connection: close" not in head


async def steadily(
    target: Target, wires: Sequence[bytes], *, rate: float, seconds: float
) -> list[Answer]:
    """Ask *rate* questions a second for so long, each of *wires* in turn.

    Returns:
        What became of each, in the order in which they were due; later than *seconds*, when the
        last has been answered.
    """
    begun = time.monotonic()
    asked: list[asyncio.Task[Answer]] = []
    for number in range(int(rate * seconds)):
        at = begun + number / rate
        wait = at - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        wire = wires[number % len(wires)]
        asked.append(asyncio.create_task(target.ask(wire, at)))
    return await asyncio.gather(*asked)


def quantile(values: Sequence[float], part: float) -> float:
    """The value that *part* (0 to 1) of *values* do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0
