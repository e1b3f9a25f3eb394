"""Headers are refused when they are too many or too long.

uvicorn with httptools takes a header of 8 MiB; every later look at the headers would pay for it.
"""

from __future__ import annotations

from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send

from bff.graphql.refusal import JSON, Refusal


class HeaderLimits:
    """Answer 431 instead of passing on.

    Args:
        app: What answers otherwise.
        most_bytes: All names and values together.
        most_headers: Number of header lines.
    """

    def __init__(self, app: ASGIApp, most_bytes: int = 65_536, most_headers: int = 100) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._most_headers = most_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is within the limits."""
        if scope["type"] == "http" and self._exceeded(scope):
            refusal = Refusal(431, "The headers are too many or too long.")
            await refusal.answer(JSON).send(send)
            return
        await self._app(scope, receive, send)

    def _exceeded(self, scope: Scope) -> bool:
        headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
        if len(headers) > self._most_headers:
            return True
        size = 0
        for name, value in headers:
            size += len(name) + len(value)
        return size > self._most_bytes
