"""What browsers are told about every response."""

from __future__ import annotations

from typing import cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_NAMES = frozenset(name for name, _ in _HEADERS)


class SecurityHeaders:
    """Add each header that the response does not set itself: only our pages relax one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add to what comes back."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = cast("list[tuple[bytes, bytes]]", message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                if present.isdisjoint(_NAMES):
                    message["headers"] = [*headers, *_HEADERS]
                else:
                    missing = (header for header in _HEADERS if header[0] not in present)
                    message["headers"] = [*headers, *missing]
            await send(message)

        await self._app(scope, receive, guarded)
