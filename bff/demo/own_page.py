"""Who may use the demo's switches: its own page, and programs of this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bff.graphql.refusal import NO_STORE, coded, errors_only

_OWN = frozenset({"same-origin", "none"})


class OwnPageOnly:
    """Refuse what a foreign page makes the browser send.

    The Host must name this machine by a number or as localhost: a page that has its own name point
    here would otherwise be of our origin. A browser says where a request comes from (`Origin`,
    `Sec-Fetch-Site`), and that must be here. Whatever is no browser says nothing, and may ask.

    Args:
        app: What is protected.
        links: Whether a foreign page may lead here; for pages, and what wants a token anyway.
    """

    def __init__(self, app: ASGIApp, *, links: bool = False) -> None:
        self._app = app
        self._links = links

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 403."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not names_this_machine(headers.get("host", "")):
            refused = refusal(HTTPStatus.FORBIDDEN, "FORBIDDEN", "Ask for it as 127.0.0.1.")
            await refused(scope, receive, send)
        elif not self._links and not _comes_from_here(headers):
            message = "Only the demo's own page may do this."
            await refusal(HTTPStatus.FORBIDDEN, "FORBIDDEN", message)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _comes_from_here(headers: Mapping[str, str]) -> bool:
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{headers['host']}":
        return False
    return headers.get("sec-fetch-site", "none") in _OWN


def names_this_machine(host: str) -> bool:
    """Whether *host*, with or without a port, can only mean the machine itself."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def refusal(status: HTTPStatus, code: str, message: str) -> Response:
    """A no, in the shape of every other no of ours."""
    return Response(
        errors_only([coded(message, code)]),
        status,
        {"Cache-Control": NO_STORE},
        media_type="application/json",
    )
