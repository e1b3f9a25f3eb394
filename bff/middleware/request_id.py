"""Every request has a name, and every response says it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


class RequestId:
    """Take X-Request-ID from the request if it is harmless, or make one; give it back.

    It must be the outermost middleware: then the answers of all others carry it too.

    Args:
        app: What answers.
        new_id: Makes one; replaced in tests.
    """

    def __init__(
        self, app: ASGIApp, new_id: Callable[[], str] = lambda: os.urandom(16).hex()
    ) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, named."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = _given(scope) or self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        header = (b"x-request-id", request_id.encode("ascii"))

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        await self._app(scope, receive, named)


def request_id_of(scope: Scope) -> str:
    """The name of the request of *scope*.

    Raises:
        KeyError: `RequestId` has not seen it.
    """
    return cast("str", scope["state"]["request_id"])


def _given(scope: Scope) -> str | None:
    for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"]):
        if name == b"x-request-id":
            given = value.decode("latin-1")
            return given if _ID.fullmatch(given) else None
    return None
