"""Serve an app on a socket, so that it can really reset a connection, or be gone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Generator

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from examples.upstreams.faults import RESET

_LINGER_NOT = struct.pack("ii", 1, 0)
_BACKLOG = 1024


class ResettableProtocol(HttpToolsProtocol):
    """Offers `faults.RESET` to the app."""

    def on_message_begin(self) -> None:
        """Of the parser: a request begins, and with it a scope."""
        super().on_message_begin()
        self.scope["extensions"] = {RESET: {"abort": self._abort}}

    def _abort(self) -> None:
        # Closed while it lingers for no time, a connection is reset rather than finished (FIN).
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.transport.abort()


class QuietServer(uvicorn.Server):
    """A server among others in one loop, whose signals are somebody else's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave them alone."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; 0 is any free port.

    Raises:
        OSError: The port is in use, or not ours to use.
    """
    listening = socket.create_server((host, port), backlog=_BACKLOG)
    # Head and body of an answer leave apart; without this the body waits until the head has been
    # acknowledged, some 40 ms. Connections inherit it; asyncio sees to its own sockets only.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def base_url(listening: socket.socket) -> str:
    """Where that socket is."""
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


def configured(app: Starlette) -> uvicorn.Config:
    """How every reference service is served."""
    return uvicorn.Config(
        app,
        http=ResettableProtocol,
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )


class Site:
    """An app at one address, where it can be closed and opened again.

    While it is not, whoever comes is refused. What the app does of its own accord goes on.

    Args:
        app: What is served.
        listening: Where; closed with the site.
    """

    def __init__(self, app: Starlette, listening: socket.socket) -> None:
        self._config = configured(app)
        self._listening = listening
        self._address: tuple[str, int] = listening.getsockname()[:2]
        self._serving: tuple[QuietServer, asyncio.Task[None]] | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def url(self) -> str:
        """Where it is, open or not."""
        host, port = self._address
        return f"http://{host}:{port}"

    @property
    def is_open(self) -> bool:
        """Whether somebody answers there."""
        return self._serving is not None

    async def open(self) -> None:
        """Answer; when it is open already, nothing happens.

        Raises:
            OSError: Somebody else has taken the port meanwhile.
        """
        async with self._one_at_a_time:
            if self._serving is not None:
                return
            if self._listening.fileno() < 0:
                self._listening = listen(*self._address)
            server = QuietServer(self._config)
            task = asyncio.create_task(server.serve([self._listening]))
            while not server.started:  # one that has not started cannot be stopped
                if task.done():
                    raise OSError(f"nothing could be served at {self.url}") from task.exception()
                await asyncio.sleep(0.01)
            self._serving = server, task

    async def close(self) -> None:
        """Take nobody any more, and finish with those who wait; nothing when it is closed."""
        await self._end(lambda _: None)

    async def cut(self) -> None:
        """Be gone, as a machine that loses its power: whoever waits is cut off."""
        await self._end(_gone)

    async def _end(self, how: Callable[[QuietServer], None]) -> None:
        async with self._one_at_a_time:
            if self._serving is None:
                return
            server, task = self._serving
            self._serving = None
            server.should_exit = True
            for listener in server.servers:
                listener.close()
            self._listening.close()
            how(server)
            await task


def _gone(server: QuietServer) -> None:
    for connection in list(server.server_state.connections):
        connection.transport.abort()
