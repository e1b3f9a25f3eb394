"""The BFF over the five reference services, on real sockets, with a proxy before each service.

The services ask one another through the same proxies. Both ends of every socket are in one loop,
whose time is virtual: a limit of ten seconds costs none, and a slow machine changes no outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
from starlette.applications import Starlette

from bff.build import build_app
from bff.identity.service_tokens import ServiceTokens
from bff.settings import ServiceTokenSettings, Settings
from bff.wiring import network
from datasources.transport.pool import OriginTransport
from examples.upstreams.fleet import NAMES, Fleet, SocketTransport, open_fleet
from examples.upstreams.sockets import Site, listen
from tests.chaos.proxy import Proxy
from tests.virtual_time import VirtualClock, VirtualLoop

PROJECT = Path(__file__).resolve().parents[2]
SECRET = "the chaos tests' own secret, long enough"
SLOTS = 20
PEER_SECONDS = 0.8

ONE_ATTEMPT: Mapping[str, Any] = {
    "timeout_read_seconds": 1.0,
    "timeout_write_seconds": 2.0,
    "retries": 0,
    "bulkhead": {"limit": SLOTS, "queue": 0},
    "breaker": {"minimum_calls": 10_000, "consecutive": 10_000},
    "cache": {"fresh_seconds": 0, "stale_seconds": 60},
}
"""Of every service: no breaker, and no queue before the slots. What is absent is as shipped."""


@dataclass
class Street:
    """The services, and the proxies on the way to them."""

    folder: Path
    fleet: Fleet
    proxies: Mapping[str, Proxy]
    tokens: ServiceTokens

    async def heal(self) -> None:
        """Every proxy and every service."""
        for name in NAMES:
            await self.proxies[name].heal()
            self.fleet.faults(name).heal()

    def rows(self, name: str, sql: str, *values: object) -> list[Any]:
        """What is written in the file of that service."""
        with contextlib.closing(sqlite3.connect(self.folder / f"{name}.sqlite3")) as file:
            return file.execute(sql, values).fetchall()


@dataclass
class Bff:
    """The BFF, and somebody who asks it.

    Attributes:
        pools: The connections to each service.
    """

    app: Starlette
    client: httpx.AsyncClient
    pools: Mapping[str, OriginTransport] = field(default_factory=dict)

    async def ask(
        self, query: str, user: str, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The answer, as JSON."""
        body = {"query": query, "variables": variables or {}}
        headers = {"Authorization": bearer(user)}
        response = await self.client.post("/graphql", json=body, headers=headers)
        answer: dict[str, Any] = response.json()
        return answer

    async def quiet(self, street: Street) -> None:
        """Return when no request is under way, and all that is open, here and there, is idle."""
        async with asyncio.timeout(5):
            while any(  # noqa: ASYNC110, sockets set no event of ours
                stats.in_flight or not stats.open == stats.idle == street.proxies[name].open
                for name, stats in ((name, pool.stats()) for name, pool in self.pools.items())
            ):
                await asyncio.sleep(0.002)


def work_under_way() -> list[asyncio.Task[Any]]:
    """The tasks of this loop that run code of the BFF."""
    parts = [str(PROJECT / part) for part in ("bff", "datasources", "schema")]
    return [
        task
        for task in asyncio.all_tasks()
        if (coroutine := task.get_coro()) is not None
        and any(inspect.getfile(coroutine.cr_code).startswith(part) for part in parts)
    ]


def socket_loop() -> VirtualLoop:
    """The loop for all of this; close it."""
    return VirtualLoop(patience=0.001)


def bearer(user: str) -> str:
    """Proves that *user* asks."""
    expires = VirtualClock().now() + timedelta(minutes=5)
    claims = {"sub": user, "exp": expires, "iss": "test", "aud": "bff"}
    return f"Bearer {jwt.encode(claims, SECRET)}"


@contextlib.asynccontextmanager
async def open_street(seeded: Path, folder: Path) -> AsyncIterator[Street]:
    """Services on a copy of the files in *seeded*, and healthy proxies."""
    shutil.copytree(seeded, folder)
    clock = VirtualClock()
    tokens = ServiceTokens.from_settings(ServiceTokenSettings(), clock)
    async with contextlib.AsyncExitStack() as stack:
        sockets = {
            name: stack.enter_context(contextlib.closing(listen("127.0.0.1", 0))) for name in NAMES
        }
        proxies = {name: Proxy(*sockets[name].getsockname(), random.Random(7)) for name in NAMES}
        for proxy in proxies.values():
            await stack.enter_async_context(proxy.running())
        fleet = await stack.enter_async_context(
            open_fleet(
                folder,
                issuers={"bff": tokens.jwks()},
                peer=lambda _: SocketTransport(),
                urls={name: proxy.url for name, proxy in proxies.items()},
                now=clock.now,
                peer_seconds=PEER_SECONDS,
            )
        )
        for name in NAMES:
            site = Site(fleet.apps[name], sockets[name])
            await site.open()
            stack.push_async_callback(site.close)
            stack.callback(fleet.faults(name).heal)
        yield Street(folder, fleet, proxies, tokens)


@contextlib.asynccontextmanager
async def open_bff(street: Street, **upstream: Any) -> AsyncIterator[Bff]:
    """A BFF that has just been started.

    Args:
        street: Where the services are.
        upstream: Settings of every service, over `ONE_ATTEMPT`.
    """
    pools: dict[str, OriginTransport] = {}

    def remembered(name: str, settings: Any) -> OriginTransport:
        pools[name] = network(name, settings)
        return pools[name]

    urls = {name: {"url": proxy.url} for name, proxy in street.proxies.items()}
    settings = Settings.model_validate(
        {
            "upstreams": {name: {**ONE_ATTEMPT, **upstream, **url} for name, url in urls.items()},
            "auth": {"jwt_secret": SECRET, "issuer": "test", "audience": "bff"},
            "explorer": False,
        }
    )
    app = build_app(
        settings, service_tokens=street.tokens, transport=remembered, clock=VirtualClock()
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bff") as client,
    ):
        yield Bff(app, client, pools)
