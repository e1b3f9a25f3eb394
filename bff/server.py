"""Servers on sockets of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import socket
from collections.abc import AsyncGenerator, Generator

import uvicorn
from starlette.types import ASGIApp

from bff.settings import Settings
from bff.usage import UsageError

_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 75
"""Longer than load balancers keep an idle connection, usually 60: so that none is closed here while
they send."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one.

    Raises:
        UsageError: The port is taken, or not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as exc:
        number = exc.errno or 0
        why = os.strerror(number) if number > 0 else exc.strerror  # below: name resolution
        raise UsageError(f"cannot listen on {host}:{port}: {why}") from exc


def base_url(listening: socket.socket) -> str:
    """Where that socket is, as a client of this machine names it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def grace_seconds(settings: Settings) -> int:
    """How long what is under way may go on once a stop is asked for: as long as it is due."""
    return math.ceil(max(settings.deadline_seconds, settings.mutation_deadline_seconds)) + 1


def configured(app: ASGIApp | str, grace: int, workers: int = 1) -> uvicorn.Config:
    """How we serve: no access log on the hot path, no word of what we are made of.

    Args:
        app: The application, or where the function is that makes it.
        grace: See `grace_seconds`.
        workers: Processes.
    """
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        workers=workers,
        timeout_graceful_shutdown=grace,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )


class _Server(uvicorn.Server):
    """Signals are the command's business, since it runs more than one thing."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave them alone."""
        yield


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, listening: socket.socket, *, grace: int) -> AsyncGenerator[None]:
    """Inside, *app* answers on *listening*; afterwards it has finished what was under way.

    Args:
        app: The application.
        listening: Bound, and listening.
        grace: See `grace_seconds`.

    Raises:
        UsageError: The application did not start.
    """
    server = _Server(configured(app, grace))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:
            if task.done():
                raise UsageError("the application did not start; the log says why")
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def interruptible() -> AsyncGenerator[None]:
    """End the block at the first SIGINT, SIGTERM or SIGHUP, after all that it has opened is closed.

    A second signal meanwhile does what signals do to programs that do not care.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    stopped = False

    def forget() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    def stop() -> None:
        nonlocal stopped
        stopped = True
        forget()
        if task is not None:
            task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    except asyncio.CancelledError:
        if not stopped or task is None or task.uncancel():
            raise
    finally:
        forget()
