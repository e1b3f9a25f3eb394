"""A server that sends what it is told to send, HTTP or not."""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field

import httpx

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """One accepted connection, as a script sees it."""

    def __init__(self, number, reader, writer):
        self.number = number
        self.reader = reader
        self.writer = writer

    async def request(self):
        """The next request, head and body; empty when the client has left."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            return b""
        for line in head.split(b"\r\n"):
            if line.startswith(b"Content-Length: "):
                return head + await self.reader.readexactly(int(line[16:]))
        return head

    async def send(self, *packets):
        """Each in a segment of its own, as far as the loop's turns can make it so."""
        for packet in packets:
            self.writer.write(packet)
            await self.writer.drain()
            if len(packets) > 1:
                await asyncio.sleep(0.001)

    def close(self):
        self.writer.close()

    def reset(self):
        """Close with RST instead of FIN."""
        link = self.writer.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def gone(self):
        """Until the client has closed its end."""
        with contextlib.suppress(OSError):
            while await self.reader.read(65536):
                pass


def answering(*packets, close=False):
    """A script: the same packets for every request."""

    async def script(peer):
        while await peer.request():
            await peer.send(*packets)
            if close:
                return

    return script


def scripted(*scripts):
    """A script: the first connection gets the first one, and so on; the last one stays."""

    async def script(peer):
        await scripts[min(peer.number, len(scripts)) - 1](peer)

    return script


@dataclass
class Server:
    """Runs a script for each connection; closes it when the script ends."""

    script: object = field(default_factory=lambda: answering(OK))
    accepted: int = 0
    open: int = 0
    port: int = 0
    scheme: str = "http"
    tasks: set = field(default_factory=set)
    scripts: set = field(default_factory=set)

    async def __call__(self, reader, writer):
        self.accepted += 1
        self.open += 1
        # A task of its own, because asyncio's streams complain when theirs is cancelled.
        script = asyncio.create_task(self._run(Peer(self.accepted, reader, writer)))
        for task in (asyncio.current_task(), script):
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        self.scripts.add(script)
        await asyncio.wait([script])
        self.scripts.discard(script)
        if script.cancelled():
            writer.transport.abort()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        self.open -= 1

    async def _run(self, peer):
        # The client left; uvloop says so with a RuntimeError.
        with contextlib.suppress(OSError, RuntimeError, asyncio.IncompleteReadError):
            await self.script(peer)

    def request(self, method="GET", path="/", **rest):
        return httpx.Request(method, f"{self.scheme}://localhost:{self.port}{path}", **rest)

    async def stop(self):
        for script in self.scripts:
            script.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)


async def until(condition, pause=0.0005):
    """Turns of the loop until *condition* holds; a test's own limit is its failure."""
    async with asyncio.timeout(2):
        while not condition():  # noqa: ASYNC110 - any condition, not one that sets an event
            await asyncio.sleep(pause)
