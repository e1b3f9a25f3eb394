"""Which class stands behind which port. Nothing else in the program builds one."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from bff.health import HealthBoard
from bff.settings import AuthSettings, Settings, SettingsError, UpstreamSettings
from datasources.clock import Clock
from datasources.credentials import ApiKey, Credentials
from datasources.events import Events
from datasources.resilience.cache import ByteCache
from datasources.resilience.deadline import RESERVE
from datasources.resilience.standard import Numbers, Protected, Shared, standard_pipeline
from datasources.rest import RestSender
from datasources.services.notifications import Notifications
from datasources.services.orders import Orders
from datasources.services.payments import Payments
from datasources.services.products import Products
from datasources.services.users import Users
from datasources.transport.pool import OriginTransport
from schema.context import Context, Sources, Viewer
from schema.loaders import build_loaders

SERVICES = ("users", "orders", "products", "payments", "notifications")
"""In the order in which people are shown them."""

SCREENS: Mapping[str, tuple[str, ...]] = {
    "dashboard.user": ("users",),
    "dashboard.recentOrders": ("orders", "products"),
    "dashboard.recentOrders.payment": ("orders", "payments"),
    "dashboard.notifications": ("notifications",),
    "createOrder": ("orders",),
}
"""What a user sees, and the services that it needs."""

Transport = Callable[[str, UpstreamSettings], httpx.AsyncBaseTransport]
"""How requests to a service travel."""


@dataclass(frozen=True, slots=True)
class Wired:
    """Everything below the graph.

    Attributes:
        sources: The ports.
        board: How the services are doing.
        services: The pipeline of each, by name.
        transports: How requests travel, by name.
    """

    sources: Sources
    board: HealthBoard
    services: Mapping[str, Protected]
    transports: Mapping[str, httpx.AsyncBaseTransport]

    def context(self, viewer: Viewer | None, idempotency_key: str | None) -> Context:
        """The context of one operation."""
        sources = self.sources
        loaders = build_loaders(
            users=sources.users,
            orders=sources.orders,
            products=sources.products,
            payments=sources.payments,
        )
        return Context(
            viewer=viewer, sources=sources, loaders=loaders, idempotency_key=idempotency_key
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Inside, questions can be asked; afterwards none is under way and no socket is open."""
        async with contextlib.AsyncExitStack() as stack:
            for transport in self.transports.values():
                stack.push_async_callback(transport.aclose)
            for service in self.services.values():
                stack.push_async_callback(service.flights.aclose)
            yield


def wire(
    settings: Settings,
    *,
    credentials: Credentials,
    events: Events,
    clock: Clock,
    transport: Transport,
) -> Wired:
    """Build everything below the graph; opens nothing yet.

    Args:
        settings: Where the services are, and the numbers of their pipelines.
        credentials: For services that have no API key of their own.
        events: What happens to calls is announced there.
        clock: Replaced in tests.
        transport: `network`, or in-process services in tests.
    """
    board = HealthBoard(SERVICES, clock)
    events.subscribe(board.record)
    shared = Shared(ByteCache(), events, clock)
    transports: dict[str, httpx.AsyncBaseTransport] = {}
    services: dict[str, Protected] = {}
    for name in SERVICES:
        upstream = settings.upstream(name)
        transports[name] = transport(name, upstream)
        key = upstream.api_key
        sender = RestSender(
            str(upstream.url).rstrip("/"),
            transport=transports[name],
            credentials=credentials if key is None else ApiKey(key.get_secret_value()),
            clock=clock,
        )
        numbers = _numbers(upstream, settings)
        services[name] = standard_pipeline(name, sender, numbers, shared)
    sources = Sources(
        users=Users(services["users"].ask),
        orders=Orders(services["orders"].ask),
        products=Products(services["products"].ask),
        payments=Payments(services["payments"].ask),
        notifications=Notifications(services["notifications"].ask),
        status=board,
    )
    return Wired(sources, board, services, transports)


def network(name: str, upstream: UpstreamSettings) -> OriginTransport:
    """A pool of connections to where the settings say that the service is.

    Raises:
        SettingsError: A file of certificates or keys is not what it should be.
    """
    context = None
    if str(upstream.url).startswith("https:"):
        variable = f"BFF_UPSTREAMS__{name.upper()}__TLS__"
        tls = upstream.tls
        try:
            context = ssl.create_default_context(cafile=tls.ca)
        except OSError:
            raise SettingsError([f"{variable}CA: must hold certificates in PEM"]) from None
        try:
            if tls.cert is not None:
                # With a password, also none, OpenSSL does not ask for one on the terminal.
                context.load_cert_chain(tls.cert, tls.key, password="")
        except OSError:
            problem = f"{variable}CERT: must hold a certificate, and KEY its bare key, in PEM"
            raise SettingsError([problem]) from None
    return _pool(str(upstream.url), context, most_requests=2 * upstream.bulkhead.limit)


def issuer_network(auth: AuthSettings) -> OriginTransport:
    """A connection to where the issuer's keys are; unused where a secret is shared."""
    url = auth.jwks_url or "http://127.0.0.1"
    context = ssl.create_default_context() if url.startswith("https:") else None
    return _pool(url, context, most_requests=4)


def _pool(url: str, tls: ssl.SSLContext | None, most_requests: int) -> OriginTransport:
    parts = urlsplit(url)
    port = parts.port or (80 if tls is None else 443)
    return OriginTransport(parts.hostname or "", port, tls=tls, most_requests=most_requests)


_SHARE = 0.8
"""Of an operation's time, what one attempt may take at most.

An attempt that the operation's deadline always cuts short would never be evidence against a
service that hangs, and its breaker would never open.
"""


def _attempt(deadline: float) -> float:
    return _SHARE * (deadline - RESERVE)


def _numbers(upstream: UpstreamSettings, settings: Settings) -> Numbers:
    return Numbers(
        fresh=upstream.cache.fresh_seconds,
        stale=upstream.cache.stale_seconds,
        budget=settings.deadline_seconds,
        retries=upstream.retries,
        bulkhead_limit=upstream.bulkhead.limit,
        bulkhead_queue=upstream.bulkhead.queue,
        failure_ratio=upstream.breaker.failure_ratio,
        minimum_calls=upstream.breaker.minimum_calls,
        window=upstream.breaker.window_seconds,
        consecutive=upstream.breaker.consecutive,
        reset=upstream.breaker.reset_seconds,
        read=min(upstream.timeout_read_seconds, _attempt(settings.deadline_seconds)),
        write=min(upstream.timeout_write_seconds, _attempt(settings.mutation_deadline_seconds)),
    )
