"""The page on which a developer reads the schema and asks."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import orjson
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bff.graphql.refusal import NO_STORE, Answer

_PLACEHOLDER = '<meta name="bff-explorer" content="{}">'
_NAMED_BY_CONTENT = re.compile(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$")

_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; "  # the editor writes style elements
    "img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class ExplorerMissing(Exception):
    """The explorer is on, and its files are not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explorer:
    """What the page starts with.

    Attributes:
        endpoint: Where it sends operations.
        token: Filled in for the developer; None leaves the field empty. Only ever a demo's.
        queries: One example for each tab, as the page expects them.
    """

    endpoint: str = "/graphql"
    token: str | None = None
    queries: Sequence[Mapping[str, str]] = field(default_factory=tuple[Mapping[str, str], ...])

    def page(self, static: Traversable) -> Answer:
        """The page, from the `index.html` in *static*.

        Raises:
            ExplorerMissing: There is no such file, or it has no place for the settings.
        """
        index = static / "index.html"
        try:
            text = index.read_text(encoding="utf-8")
        except OSError:
            raise ExplorerMissing(
                f"The explorer is on, but {index} is missing: build it, or turn the explorer off."
            ) from None
        if _PLACEHOLDER not in text:
            raise ExplorerMissing(f"{index} has no {_PLACEHOLDER}.")
        settings = {"endpoint": self.endpoint, "token": self.token, "queries": list(self.queries)}
        content = html.escape(orjson.dumps(settings).decode(), quote=True)
        text = text.replace(_PLACEHOLDER, _PLACEHOLDER.replace("{}", content), 1)
        return Answer(
            status=200,
            body=text.encode(),
            media_type="text/html",
            cache_control=NO_STORE,
            headers={"Content-Security-Policy": _POLICY, "Vary": "Accept"},
        )


class Assets(StaticFiles):
    """The page's scripts, styles and workers.

    A file whose name contains a hash of its content may be kept for ever; any other is asked for
    again each time. Workers are documents to a browser, so they carry the page's policy.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """See `StaticFiles`."""
        response = await super().get_response(path, scope)
        kept = (
            "public, max-age=31536000, immutable" if _NAMED_BY_CONTENT.search(path) else "no-cache"
        )
        response.headers["Cache-Control"] = kept
        response.headers["Content-Security-Policy"] = _POLICY
        return response


def packaged_files() -> Path:
    """The folder with the built explorer."""
    return Path(str(files("bff") / "static"))
