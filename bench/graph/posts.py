"""The posts service: records, port and calls, as `datasources/` has them of every service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NewType, Protocol

import msgspec

from datasources.errors import DatasourceError
from datasources.resilience.pipeline import Call, Handler, Route
from datasources.sourced import Sourced

AuthorId = NewType("AuthorId", int)


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes. Source: `GET /users?id=1,2`."""

    id: AuthorId
    name: str
    username: str
    email: str
    phone: str | None = None
    website: str | None = None


class Post(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something written. Source: `GET /posts?limit=`."""

    id: int
    user_id: AuthorId
    title: str
    body: str


class PostPort(Protocol):
    """The posts service, as far as the graph needs it."""

    async def latest(self, limit: int, /) -> Sourced[Sequence[Post]]:
        """At most *limit* posts."""
        ...

    async def authors(
        self, ids: Sequence[AuthorId], /
    ) -> Mapping[AuthorId, Sourced[Author] | DatasourceError]:
        """Those with these ids, in no order; unknown ids are absent."""
        ...


_posts = msgspec.json.Decoder(tuple[Post, ...]).decode
_authors = msgspec.json.Decoder(tuple[Author, ...]).decode

# Personal, though nothing in them is: so that no two callers share a call, and every query in the
# comparison is worked for.
_LATEST = Route(
    service="posts",
    operation="latest",
    scope="posts:read",
    pack=msgspec.json.encode,
    unpack=_posts,
)
_AUTHORS = Route(
    service="posts",
    operation="authors",
    scope="posts:read",
    pack=msgspec.json.encode,
    unpack=msgspec.json.Decoder(Author).decode,
)


class Posts:
    """Implements `PostPort` over REST."""

    def __init__(self, ask: Handler) -> None:
        self._ask = ask

    async def latest(self, limit: int, /) -> Sourced[Sequence[Post]]:
        """See `PostPort`."""

        def decode(_status: int, body: bytes) -> dict[str, tuple[Post, ...]]:
            return {key: _posts(body)[:limit]}

        key = f"latest:{limit}"
        call = Call(
            route=_LATEST, path="/posts", params={"limit": str(limit)}, keys=(key,), decode=decode
        )
        return (await self._ask(call)).only("posts")

    async def authors(
        self, ids: Sequence[AuthorId], /
    ) -> Mapping[AuthorId, Sourced[Author] | DatasourceError]:
        """See `PostPort`."""
        try:
            reply = await self._ask(_by_ids(tuple(map(str, sorted(ids)))))
        except DatasourceError as failure:
            return dict.fromkeys(ids, failure)
        answers: dict[AuthorId, Sourced[Author] | DatasourceError] = {}
        for author_id in ids:
            answer = reply.parts.get(str(author_id), reply.failure)
            if answer is not None:
                answers[author_id] = answer
        return answers


def _by_ids(ids: tuple[str, ...]) -> Call[Author]:
    def decode(_status: int, body: bytes) -> dict[str, Author]:
        wanted = frozenset(ids)
        found = {str(author.id): author for author in _authors(body)}
        return {key: author for key, author in found.items() if key in wanted}

    return Call(
        route=_AUTHORS,
        path="/users",
        params={"id": ",".join(ids)},
        keys=ids,
        decode=decode,
        narrow=_by_ids,
    )
