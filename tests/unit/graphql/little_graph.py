"""A graph of a few fields, an application around it, and callers with tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import strawberry
from starlette.applications import Starlette

from bff.app import Parts, Serving, create_app
from bff.graphql.seams import InvalidToken
from bff.health import HealthBoard, Screen
from datasources.errors import CircuitOpen
from datasources.scope import Scope, current_scope
from datasources.sourced import Origin, Reason, Sourced
from schema.context import Viewer
from schema.degraded import DegradedLog
from schema.errors import Unauthenticated

OLD = Sourced(
    "old", "users", datetime(2026, 1, 1, tzinfo=UTC), Origin.STALE, 12.5, Reason.CIRCUIT_OPEN
)


@dataclass
class Seen:
    """What resolvers and their makers were given."""

    fields: list[str] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    ended: int = 0


@dataclass
class Context:
    viewer: Viewer | None
    seen: Seen
    degraded: DegradedLog = field(default_factory=DegradedLog)

    def end(self) -> None:
        self.seen.ended += 1


Info = strawberry.Info[Context, None]


@strawberry.type
class User:
    id: strawberry.ID

    @strawberry.field
    def friend(self) -> User:
        return self


@strawberry.input
class Wish:
    colour: str = "blue"


@strawberry.type
class Query:
    @strawberry.field
    def wish(self, for_: Annotated[Wish, strawberry.argument(name="for")]) -> str:
        return for_.colour

    @strawberry.field
    def me(self, info: Info) -> User | None:
        info.context.seen.fields.append("me")
        info.context.seen.scopes.append(current_scope())
        if info.context.viewer is None:
            raise Unauthenticated
        return User(id=strawberry.ID(info.context.viewer.id))

    @strawberry.field
    async def twice(self, info: Info, number: int) -> int:
        info.context.seen.fields.append("twice")
        await asyncio.sleep(0)
        return 2 * number

    @strawberry.field
    def maybe(self, text: strawberry.Maybe[str]) -> bool:
        return text is not None

    @strawberry.field
    def half(self, of: float) -> float:
        return of / 2

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def named(self, ids: list[strawberry.ID]) -> int:
        return len(ids)

    @strawberry.field
    def broken(self) -> str | None:
        secret = "s3cret"
        raise RuntimeError(f"the database at 10.0.0.7 says {secret}")

    @strawberry.field
    def closed(self) -> str | None:
        raise CircuitOpen("users")

    @strawberry.field
    def burst(self) -> str:
        raise CircuitOpen("orders")

    @strawberry.field
    def stale(self, info: Info) -> str:
        return info.context.degraded.show(info, OLD).value

    @strawberry.field
    async def cut(self) -> str | None:
        raise asyncio.CancelledError

    @strawberry.field
    async def slow(self, info: Info) -> str:
        info.context.seen.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            info.context.seen.cancelled.set()
            raise
        return "never"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def bump(self, info: Info) -> int:
        info.context.seen.fields.append("bump")
        info.context.seen.scopes.append(current_scope())
        return 1


SCHEMA = strawberry.Schema(Query, Mutation)


class NamedTokens:
    """The token of a user is his name; "bad" is nobody's."""

    def known(self, authorization: str, /) -> Viewer | None:
        return None

    async def viewer(self, authorization: str, /) -> Viewer:
        name = authorization.removeprefix("Bearer ")
        if name == "bad":
            raise InvalidToken
        return Viewer(id=name)


class StoppedClock:
    """Both clocks stand until they are moved."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


def little_parts(seen: Seen) -> Parts:
    clock = StoppedClock()

    def new_context(viewer: Viewer | None, key: str | None) -> Any:
        seen.keys.append(key)
        return Context(viewer, seen)

    return Parts(
        schema=SCHEMA,
        tokens=NamedTokens(),
        new_context=new_context,
        board=HealthBoard(["users", "orders"], clock),
        service_keys=lambda: {"keys": [{"kid": "k1"}]},
        screens={"profile": Screen(("users",))},
        clock=clock,
    )


def little_app(
    seen: Seen | None = None,
    serving: Serving | None = None,
    change: Callable[[Parts], Parts] = lambda parts: parts,
) -> Starlette:
    return create_app(change(little_parts(seen or Seen())), serving)


def with_tokens(tokens: Any) -> Callable[[Parts], Parts]:
    return lambda parts: replace(parts, tokens=tokens)


@asynccontextmanager
async def client_of(app: Starlette) -> AsyncGenerator[httpx.AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://bff.example"
        ) as client,
    ):
        yield client


def code_of(response: httpx.Response) -> str:
    """The code of the one error of *response*."""
    body = response.json()
    assert set(body) == {"errors"}
    assert len(body["errors"]) == 1
    return body["errors"][0]["extensions"]["code"]
