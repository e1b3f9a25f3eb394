"""Serve an app on a socket, so that it can really reset a connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator, Generator, Mapping

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
    return socket.create_server((host, port), backlog=_BACKLOG)


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


@contextlib.asynccontextmanager
async def serving(apps: Mapping[socket.socket, Starlette]) -> AsyncGenerator[None, None]:
    """Serve each app on its listening socket; finally close everything."""
    servers = {sock: QuietServer(configured(app)) for sock, app in apps.items()}
    tasks = [asyncio.create_task(server.serve([sock])) for sock, server in servers.items()]
    try:
        yield
    finally:
        for server in servers.values():
            server.should_exit = True
        await asyncio.gather(*tasks)
