"""The graph of posts and a greeting: what q2 and q3 of the comparison ask."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Annotated

import strawberry

from bench.graph import posts
from bench.graph.posts import AuthorId, PostPort
from datasources.ports.products import BATCH_LIMIT
from datasources.sourced import Sourced
from engine import BATCH, Batch, ResolveInfo
from schema.context import Context
from schema.isolating_loader import IsolatingLoader
from schema.permissions import SIGNED_IN
from schema.types.freshness import shown


class Authors:
    """The authors of one operation, each asked for once."""

    def __init__(self, port: PostPort) -> None:
        self._port = port

    @cached_property
    def loader(self) -> IsolatingLoader[AuthorId, Sourced[posts.Author] | None]:
        """By their ids."""
        return IsolatingLoader(self._load, batch_size=BATCH_LIMIT)

    def end(self) -> None:
        """See `IsolatingLoader.end`."""
        if "loader" in vars(self):
            self.loader.end()

    async def _load(
        self, ids: Sequence[AuthorId]
    ) -> Sequence[Sourced[posts.Author] | Exception | None]:
        found = await self._port.authors(ids)
        return [found.get(author_id) for author_id in ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlogContext(Context):
    """One operation.

    Attributes:
        posts: Who is asked for posts.
        authors: Made for this operation only.
    """

    posts: PostPort
    authors: Authors

    def end(self) -> None:
        """See `Context.end`."""
        self.authors.end()


Info = strawberry.Info[BlogContext, None]
First = Annotated[int, strawberry.argument(description="Most of them.")]


@strawberry.type(description="Who writes.")
class Author:
    id: int
    name: str
    username: str
    email: str
    phone: str | None
    website: str | None

    @classmethod
    def of(cls, found: Sourced[posts.Author]) -> Author:
        """As the graph shows it."""
        record = found.value
        return cls(
            id=record.id,
            name=record.name,
            username=record.username,
            email=record.email,
            phone=record.phone,
            website=record.website,
        )


def _load(context: BlogContext, ids: Sequence[AuthorId]) -> Awaitable[Sequence[object]]:
    return context.authors.loader.load_batch(ids)


def _show(info: ResolveInfo, found: Sourced[posts.Author] | None) -> Author | None:
    context: BlogContext = info.context
    return None if found is None else Author.of(context.degraded.show(info, found))


_AUTHOR_OF_A_POST = Batch(key=attrgetter("user_id"), load=_load, show=_show)


@strawberry.type(description="Something written.")
class Post:
    id: int
    user_id: int
    title: str
    body: str

    @strawberry.field(
        description="Who wrote it.",
        graphql_type=Author | None,
        metadata={BATCH: _AUTHOR_OF_A_POST},
    )
    def user(self, info: Info) -> Awaitable[Author | None]:
        """All of a list are wanted before the first is waited for."""
        loading = info.context.authors.loader.load(AuthorId(self.user_id))
        return shown(info, loading, Author.of)


@strawberry.type
class Query:
    """The roots."""

    @strawberry.field(description="A greeting.", extensions=SIGNED_IN)
    def greet(self) -> str:
        """Asks nobody."""
        return "Hello World!"

    @strawberry.field(description="The latest posts.", extensions=SIGNED_IN)
    async def posts(self, info: Info, first: First = 100) -> list[Post]:
        """One call for the posts, then one for every hundred of their authors."""
        found = await info.context.posts.latest(first)
        info.context.degraded.show(info, found)
        return [
            Post(id=record.id, user_id=record.user_id, title=record.title, body=record.body)
            for record in found.value
        ]


def build_schema() -> strawberry.Schema:
    """A new schema."""
    return strawberry.Schema(query=Query)
