"""`/`: the dashboard as its users see it, beside the services behind it."""

from __future__ import annotations

import html
from importlib.resources import files
from pathlib import Path

import orjson
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bff.demo.own_page import OwnPageOnly
from bff.graphql.refusal import NO_STORE

_PLACEHOLDER = '<meta name="bff-demo" content="{}">'
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)


class _Files(StaticFiles):
    """The page's scripts and styles: asked for again each time, since their names never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """See `StaticFiles`."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def page_routes(*, token: str) -> list[BaseRoute]:
    """The page, and its files.

    Args:
        token: With which the page asks; it stands in the page.
    """
    folder = Path(str(files("examples") / "dashboard"))
    settings = html.escape(orjson.dumps({"token": token}).decode(), quote=True)
    text = (folder / "index.html").read_text(encoding="utf-8")
    body = text.replace(_PLACEHOLDER, _PLACEHOLDER.replace("{}", settings), 1).encode()

    async def page(_: Request) -> Response:
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": NO_STORE}
        return Response(body, media_type="text/html", headers=headers)

    return [
        Route("/", page, methods=["GET"]),
        Mount("/dashboard", _Files(directory=folder), middleware=[Middleware(OwnPageOnly)]),
    ]
