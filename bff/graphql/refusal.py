"""How the HTTP side says no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson
from starlette.types import Send

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"

NO_STORE = "no-store"


class Refusal(Exception):
    """The request is answered with one error, and nothing of it is executed.

    Attributes:
        status: Of the response; 4xx.
        code: `extensions.code` of the error.
        headers: To add to the response.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "BAD_USER_INPUT",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})

    def answer(self, media_type: str) -> Answer:
        """What to send instead of a result."""
        return Answer(
            status=self.status,
            body=errors_only([coded(str(self), self.code)]),
            media_type=media_type,
            headers=self.headers,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One whole response.

    Attributes:
        media_type: Without parameters; the body is UTF-8.
        cache_control: Who may keep it.
        headers: Beyond those that follow from the other attributes.
    """

    status: int
    body: bytes
    media_type: str
    cache_control: str = NO_STORE
    headers: Mapping[str, str]

    async def send(self, send: Send) -> None:
        """Write it to an ASGI server."""
        headers = [
            _field("content-type", f"{self.media_type}; charset=utf-8"),
            (b"content-length", b"%d" % len(self.body)),
            _field("cache-control", self.cache_control),
        ]
        for name, value in self.headers.items():
            headers.append(_field(name, value))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


@lru_cache(maxsize=256)
def _field(name: str, value: str) -> tuple[bytes, bytes]:
    """As it goes over the wire; remembered, because the values that are sent are few."""
    return name.lower().encode("ascii"), value.encode("ascii")


def coded(message: str, code: str, **extensions: object) -> dict[str, object]:
    """One GraphQL error that belongs to no place in the document."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def errors_only(errors: Sequence[Mapping[str, object]]) -> bytes:
    """The body of an operation that never began: it has no `data`, not even null."""
    return orjson.dumps({"errors": errors})
