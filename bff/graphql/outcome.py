"""What came of an operation, and the answer that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from starlette.types import Send

from bff.graphql.refusal import GRAPHQL, Answer
from bff.graphql.validators import is_known, tag_of
from schema.cache_control import NOT_KEPT, CachePolicy, CacheScope

VARY = "Accept, Authorization"

_Header = tuple[bytes, bytes]

_VARY_HEADER = (b"vary", VARY.encode("ascii"))
_REVALIDATE = (b"cache-control", b"private, no-cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an operation, in no media type yet.

    Attributes:
        body: In JSON.
        began: Whether anything was executed; if not, the request itself was at fault.
        whole: Whether it is a query's, and nothing in it failed, is old, or is told of its making.
        age: Of the oldest of what services said in it, when it began (seconds).
        headers: Beyond those that follow from the other attributes.
    """

    body: bytes
    began: bool = True
    whole: bool = False
    age: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def answer(self, media_type: str) -> Answer:
        """To be sent to the one who asked, and to be kept by nobody."""
        status = 200 if self.began or media_type != GRAPHQL else 400
        headers = {"Vary": VARY, **self.headers}
        return Answer(status=status, body=self.body, media_type=media_type, headers=headers)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A response whose parts are bytes already."""

    status: int
    headers: list[_Header]
    body: bytes

    async def send(self, send: Send) -> None:
        """Write it to an ASGI server."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


class Whole:
    """A whole answer, which can be sent more than once.

    Args:
        body: In JSON.
        policy: For how long it may be kept, and for whom.
        said: When its oldest part was said, or earlier (monotonic seconds).
        asked: When it was asked for, in writes of its viewer.
    """

    __slots__ = ("_heads", "asked", "body", "policy", "until")

    def __init__(
        self, body: bytes, policy: CachePolicy = NOT_KEPT, *, said: float = 0.0, asked: int = 0
    ) -> None:
        self.body = body
        self.policy = policy
        self.asked = asked
        self.until = said + policy.max_age
        self._heads: dict[str, tuple[str, list[_Header]]] = {}

    def answer(
        self, media_type: str, now: float, *, by_get: bool, if_none_match: str | None
    ) -> Prepared:
        """To be sent to somebody who may see it.

        What others may keep, they may keep for as long as is left, so there is no `Age`, which
        they would subtract once more.

        Args:
            media_type: Of the response.
            now: The instant (monotonic seconds).
            by_get: Whether it was asked by GET: then it may be that it need not be sent at all.
            if_none_match: What the client has.
        """
        if not self.policy.max_age:
            keeping = _REVALIDATE
        else:
            public = self.policy.scope is CacheScope.PUBLIC
            keeping = _keeping(max(0, int(self.until - now)), public=public)
        if not by_get and not self.policy.max_age:
            return Prepared(200, [*_content(self.body, media_type), keeping], self.body)
        tag, head = self._heads.get(media_type) or self._head(media_type)
        if by_get and is_known(tag, if_none_match):
            return Prepared(304, [head[-1], _VARY_HEADER, keeping], b"")
        return Prepared(200, [*head, keeping], self.body)

    def _head(self, media_type: str) -> tuple[str, list[_Header]]:
        tag = tag_of(self.body, media_type)
        head = [*_content(self.body, media_type), (b"etag", tag.encode("ascii"))]
        self._heads[media_type] = (tag, head)
        return tag, head


def _content(body: bytes, media_type: str) -> list[_Header]:
    return [
        (b"content-type", f"{media_type}; charset=utf-8".encode("ascii")),
        (b"content-length", b"%d" % len(body)),
        _VARY_HEADER,
    ]


@lru_cache(maxsize=4096)
def _keeping(seconds: int, *, public: bool) -> _Header:
    return (b"cache-control", b"%s, max-age=%d" % (b"public" if public else b"private", seconds))
