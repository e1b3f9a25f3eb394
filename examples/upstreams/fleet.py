"""All five services together: in this process, or on sockets of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
from starlette.applications import Starlette

from examples.upstreams.background import Worker
from examples.upstreams.bus import Bus, Relay
from examples.upstreams.faults import ConnectionAborted, Faults, RecordedRequest, Sleep
from examples.upstreams.notifications import (
    announce_orders,
    notifications_app,
    open_notifications,
)
from examples.upstreams.order_book import OrderBook, open_order_file
from examples.upstreams.orders import RestNeighbours, orders_app
from examples.upstreams.payments import Till, open_payments, payments_app
from examples.upstreams.peers import Peer
from examples.upstreams.placing import Placing
from examples.upstreams.products import open_products, products_app
from examples.upstreams.sockets import Site, base_url, listen
from examples.upstreams.tokens import Jwks, Signer, Verifier
from examples.upstreams.users import open_users, users_app
from examples.upstreams.values import utc_now

NAMES = ("users", "orders", "products", "payments", "notifications")

Transports = Callable[[str], httpx.AsyncBaseTransport]


class InProcessTransport(httpx.AsyncBaseTransport):
    """Ask an app of this process; a reset is httpx's `ReadError`, as it is on a socket."""

    def __init__(self, app: Starlette) -> None:
        self._transport = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx."""
        try:
            return await self._transport.handle_async_request(request)
        except ConnectionAborted as reset:
            raise httpx.ReadError(str(reset), request=request) from reset


class SocketTransport(httpx.AsyncHTTPTransport):
    """Ask over a new connection each time: no pool that an abandoned call could clog."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        super().__init__(verify=False, trust_env=False, limits=limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every service needs from outside.

    Attributes:
        folder: Where the files go.
        issuers: Whose tokens are good, and by which keys.
        signers: With which "orders" and "notifications" ask others on their own account.
        transport: The way to each service.
        urls: Where each service is.
        now: The instant, aware.
        sleep: Waits out the latency of faults (seconds).
        peer_seconds: How long a service waits for another.
    """

    folder: Path
    issuers: Mapping[str, Jwks]
    signers: Mapping[str, Signer]
    transport: Transports
    urls: Mapping[str, str]
    now: Callable[[], datetime] = utc_now
    sleep: Sleep = asyncio.sleep
    peer_seconds: float = 2.0

    def peer(self, name: str, asking: str) -> Peer:
        """The service *name*, as seen by the one *asking*."""
        return Peer(
            *(name, self.urls[name], self.transport(name)),
            *(self.signers[asking], self.peer_seconds),
        )


@contextlib.asynccontextmanager
async def open_service(
    name: str, faults: Faults, around: Surroundings
) -> AsyncGenerator[Starlette, None]:
    """One service at work, with what goes on behind its requests."""
    verifier = Verifier(name, around.issuers, around.now)
    path = around.folder / f"{name}.sqlite3"
    async with contextlib.AsyncExitStack() as stack:
        if name == "users":
            users = stack.enter_context(contextlib.closing(open_users(path)))
            yield users_app(users, verifier, faults)
        elif name == "products":
            products = stack.enter_context(contextlib.closing(open_products(path)))
            yield products_app(products, verifier, faults)
        elif name == "payments":
            payments = stack.enter_context(contextlib.closing(open_payments(path)))
            yield payments_app(Till(payments, around.now), verifier, faults)
        elif name == "notifications":
            messages = stack.enter_context(contextlib.closing(open_notifications(path)))
            yield notifications_app(messages, verifier, faults, around.now)
        elif name == "orders":
            orders = stack.enter_context(contextlib.closing(open_order_file(path)))
            book = OrderBook(orders, around.now)
            placing = await stack.enter_async_context(_placing(book, around))
            yield orders_app(book, placing, verifier, faults)
        else:
            raise LookupError(f"no such service: {name}")


@contextlib.asynccontextmanager
async def _placing(book: OrderBook, around: Surroundings) -> AsyncGenerator[Placing, None]:
    """Placing, its charges that are due, and its events on their way to the consumer.

    The bus is in-process, so its consumer runs here, whichever process the notifications are in.
    """
    async with contextlib.AsyncExitStack() as stack:
        users, products, payments = [
            await stack.enter_async_context(around.peer(name, "orders"))
            for name in ("users", "products", "payments")
        ]
        notifications = around.peer("notifications", "notifications")
        bus = Bus()
        bus.subscribe(
            "order.created",
            announce_orders(await stack.enter_async_context(notifications)),
        )
        relay = Worker("relay of orders", Relay(book, bus).work)
        placing = Placing(book, RestNeighbours(users, products, payments), relay.wake)
        charges = Worker("charges that are due", placing.work)
        placing.on_queued = charges.wake
        await stack.enter_async_context(relay.running())
        await stack.enter_async_context(charges.running())
        yield placing


@dataclass(frozen=True, slots=True)
class Fleet:
    """The five services.

    Attributes:
        apps: By name.
    """

    apps: Mapping[str, Starlette]
    _faults: Mapping[str, Faults] = field(repr=False)

    def requests(self, name: str) -> Sequence[RecordedRequest]:
        """What that service was asked, oldest first; without `/livez`, `/faults`, `/requests`."""
        return list(self._faults[name].requests)

    def faults(self, name: str) -> Faults:
        """The fault switch of that service."""
        return self._faults[name]


@contextlib.asynccontextmanager
async def open_fleet(  # noqa: PLR0913
    folder: Path,
    *,
    issuers: Mapping[str, Jwks],
    peer: Transports | None = None,
    urls: Mapping[str, str] | None = None,
    now: Callable[[], datetime] = utc_now,
    sleep: Sleep = asyncio.sleep,
    chance: random.Random | None = None,
    peer_seconds: float = 2.0,
) -> AsyncGenerator[Fleet, None]:
    """All five in this process, with their background work.

    Args:
        folder: Where the files are, or go.
        issuers: Whose tokens are good; the services' own are added.
        peer: The way from one service to another; in-process when absent.
        urls: Where the services are, for *peer*; `http://<name>` when absent.
        now: The instant, aware.
        sleep: Waits out the latency of faults (seconds).
        chance: Decides which requests an error rate hits.
        peer_seconds: How long a service waits for another.
    """
    signers = {name: Signer(name, now) for name in ("orders", "notifications")}
    chance = chance or random.Random(1)  # noqa: S311
    faults = {name: Faults(chance, sleep, now) for name in NAMES}
    apps: dict[str, Starlette] = {}
    around = Surroundings(
        folder=folder,
        issuers={**issuers, **{name: signer.jwks for name, signer in signers.items()}},
        signers=signers,
        transport=peer or (lambda name: _Later(apps, name)),
        urls=urls or {name: f"http://{name}" for name in NAMES},
        now=now,
        sleep=sleep,
        peer_seconds=peer_seconds,
    )
    async with contextlib.AsyncExitStack() as stack:
        # Orders goes last, and so stops first: its background work asks the others.
        for name in sorted(NAMES, key=lambda name: name == "orders"):
            service = open_service(name, faults[name], around)
            apps[name] = await stack.enter_async_context(service)
        yield Fleet({name: apps[name] for name in NAMES}, faults)


class _Later(httpx.AsyncBaseTransport):
    """Ask an app that is made by the time it is asked."""

    def __init__(self, apps: Mapping[str, Starlette], name: str) -> None:
        self._apps = apps
        self._name = name

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await InProcessTransport(self._apps[self._name]).handle_async_request(request)


@dataclass(frozen=True, slots=True)
class ServedFleet:
    """The five services on sockets.

    Attributes:
        fleet: What is served.
        sites: Where, by name.
    """

    fleet: Fleet
    sites: Mapping[str, Site]


@contextlib.asynccontextmanager
async def open_sites(
    folder: Path,
    *,
    issuers: Mapping[str, Jwks],
    host: str = "127.0.0.1",
    ports: Mapping[str, int] | None = None,
) -> AsyncGenerator[ServedFleet, None]:
    """All five on sockets, served by this event loop; installs no signal handlers.

    Raises:
        OSError: A port is in use.
    """
    ports = ports or {}
    async with contextlib.AsyncExitStack() as stack:
        sockets = {
            name: stack.enter_context(contextlib.closing(listen(host, ports.get(name, 0))))
            for name in NAMES
        }
        urls = {name: base_url(sock) for name, sock in sockets.items()}
        fleet = await stack.enter_async_context(
            open_fleet(folder, issuers=issuers, peer=lambda _name: SocketTransport(), urls=urls)
        )
        sites = {name: Site(fleet.apps[name], sock) for name, sock in sockets.items()}
        stack.push_async_callback(_each, [site.close for site in sites.values()])
        await _each([site.open for site in sites.values()])
        for name in NAMES:
            # Before the servers stop, so that nobody who hangs holds them up.
            stack.callback(fleet.faults(name).heal)
        yield ServedFleet(fleet, sites)


@contextlib.asynccontextmanager
async def serve_fleet(
    folder: Path,
    *,
    issuers: Mapping[str, Jwks],
    host: str = "127.0.0.1",
    ports: Mapping[str, int] | None = None,
) -> AsyncGenerator[Mapping[str, str], None]:
    """As `open_sites`, for those who only ask.

    Yields:
        Base URL of each service.
    """
    async with open_sites(folder, issuers=issuers, host=host, ports=ports) as served:
        yield {name: site.url for name, site in served.sites.items()}


async def _each(steps: Sequence[Callable[[], Awaitable[None]]]) -> None:
    await asyncio.gather(*(step() for step in steps))
