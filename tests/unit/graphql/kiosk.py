"""A graph of which much may be kept, in virtual time; and callers with tokens."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import strawberry

from bff.app import Serving, create_app
from datasources.errors import Unreachable
from datasources.scope import current_scope
from datasources.sourced import Origin, Reason, Sourced
from schema.cache_control import INHERITED, NEVER, PERSONAL, CacheControl, CacheScope
from schema.context import Viewer
from schema.degraded import DegradedLog
from schema.permissions import HasScope, IsAuthenticated, allowed
from tests.unit.graphql.little_graph import Seen, little_parts
from tests.virtual_time import EPOCH, VirtualClock

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
TEN_SECONDS = CacheControl(max_age=10, scope=CacheScope.PUBLIC)
A_MINUTE_PRIVATE = CacheControl(max_age=60, scope=CacheScope.PRIVATE)


@dataclass
class Kiosk:
    """What it has, how it is, and what it was asked.

    Attributes:
        takes: How long it takes to answer (seconds).
        fails: Whether it does not answer.
        old: How old what it has is (seconds).
        origin: Where that comes from.
    """

    headline: str = "Rain"
    takes: float = 0.0
    fails: bool = False
    old: float = 0.0
    origin: Origin = Origin.LIVE
    asked: list[str] = field(default_factory=list)
    cancelled: int = 0
    diaries: dict[str, str] = field(default_factory=dict)

    async def ask(self, info: Info, what: str, value: Any) -> Any:
        """What *value* gives in the end, sourced as the kiosk is."""
        self.asked.append(what)
        said = value()
        try:
            await asyncio.sleep(self.takes)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fails:
            raise Unreachable("kiosk")
        reason = Reason.TIMEOUT if self.origin is Origin.STALE else None
        found = Sourced(said, "kiosk", EPOCH, self.origin, self.old, reason)
        return info.context.degraded.show(info, found).value


@dataclass
class Context:
    viewer: Viewer | None
    kiosk: Kiosk
    degraded: DegradedLog = field(default_factory=DegradedLog)

    @property
    def signed_in(self) -> Viewer:
        return self.viewer

    def end(self) -> None:
        """Nothing is left over."""


Info = strawberry.Info[Context, None]


@strawberry.type(directives=[INHERITED])
class Price:
    cents: int = 120


@strawberry.type(directives=[TEN_SECONDS])
class Paper:
    headline: str
    price: Price = field(default_factory=Price)
    copies_left: int = strawberry.field(default=3, directives=[NEVER])

    @strawberry.field(directives=[CacheControl(max_age=2, scope=CacheScope.PUBLIC)])
    def weather(self) -> str:
        return "wet"


@strawberry.type(directives=[PERSONAL])
class Diary:
    text: str


@strawberry.input
class Wish:
    colour: str = "blue"
    size: int = 1


@strawberry.type
class Query:
    @strawberry.field
    async def paper(self, info: Info, page: int = 1, wish: Wish | None = None) -> Paper | None:
        return Paper(
            headline=await info.context.kiosk.ask(
                info, f"paper {page}", lambda: info.context.kiosk.headline
            )
        )

    @strawberry.field(directives=[A_MINUTE_PRIVATE], extensions=allowed(IsAuthenticated()))
    async def diary(self, info: Info) -> Diary:
        kiosk, who = info.context.kiosk, info.context.viewer.id
        assert current_scope().principal == who
        return Diary(
            text=await kiosk.ask(info, f"diary of {who}", lambda: kiosk.diaries.get(who, "empty"))
        )

    @strawberry.field(directives=[A_MINUTE_PRIVATE])
    async def greeting(self, info: Info) -> str:
        return await info.context.kiosk.ask(info, "greeting", lambda: "hello")

    @strawberry.field(directives=[TEN_SECONDS], extensions=allowed(HasScope("editor")))
    async def draft(self, info: Info) -> str:
        return await info.context.kiosk.ask(info, "draft", lambda: "secret")

    @strawberry.field(directives=[A_MINUTE_PRIVATE], extensions=allowed(HasScope("editor")))
    async def memo(self, info: Info) -> str:
        return await info.context.kiosk.ask(info, "memo", lambda: "mine")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def write(self, info: Info, text: str) -> bool:
        kiosk = info.context.kiosk
        await asyncio.sleep(kiosk.takes)
        kiosk.diaries[info.context.viewer.id] = text
        return True


SCHEMA = strawberry.Schema(Query, Mutation)


class ScopedTokens:
    """The token of a user is his name, and after a + what it allows."""

    def known(self, authorization: str, /) -> Viewer | None:
        return None

    async def viewer(self, authorization: str, /) -> Viewer:
        name, _, scope = authorization.removeprefix("Bearer ").partition("+")
        return Viewer(id=name, scopes=frozenset(scope.split()))


@dataclass
class Stand:
    """The kiosk, and those who come by."""

    kiosk: Kiosk
    client: httpx.AsyncClient

    async def post(self, query, *, user="ann", accept=GRAPHQL, headers=None, **body):
        token = {} if user is None else {"authorization": f"Bearer {user}"}
        return await self.client.post(
            "/graphql",
            json={"query": query, **body},
            headers={"accept": accept, **token, **(headers or {})},
        )

    async def get(self, query, *, user="ann", accept=GRAPHQL, headers=None, **parameters):
        return await self.client.get(
            "/graphql",
            params={"query": query, **parameters},
            headers={"accept": accept, "authorization": f"Bearer {user}", **(headers or {})},
        )

    @property
    def asked(self):
        """What the kiosk was asked since this was last looked at."""
        asked, self.kiosk.asked = self.kiosk.asked, []
        return asked


@contextlib.asynccontextmanager
async def stand(serving: Serving | None = None, **kiosk):
    """A kiosk, open for business."""
    there = Kiosk(**kiosk)
    parts = replace(
        little_parts(Seen()),
        schema=SCHEMA,
        tokens=ScopedTokens(),
        new_context=lambda viewer, _key: Context(viewer, there),
        clock=VirtualClock(),
    )
    app = create_app(parts, serving)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bff") as client,
    ):
        yield Stand(there, client)
