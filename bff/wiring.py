"""Which class stands behind which port. Nothing else in the program builds one."""

from __future__ import annotations

import contextlib
import importlib.util
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from bff.graphql.seams import Prospect
from bff.health import HealthBoard, Screen
from bff.ports import due, weighed_sources
from bff.settings import AuthSettings, Settings, SettingsError, UpstreamSettings
from bff.telemetry.journal import tell_journal
from bff.telemetry.latencies import Latencies
from datasources.clock import Clock
from datasources.credentials import ApiKey, Credentials
from datasources.events import Events
from datasources.importance import Importance
from datasources.resilience.cache import ByteCache
from datasources.resilience.deadline import RESERVE
from datasources.resilience.standard import (
    Numbers,
    Protected,
    Shared,
    room_for_all,
    standard_pipeline,
)
from datasources.resilience.usual_times import UsualTimes
from datasources.rest import RestSender
from datasources.services.notifications import Notifications
from datasources.services.orders import Orders
from datasources.services.payments import Payments
from datasources.services.products import Products
from datasources.services.users import Users
from datasources.transport.httpx_pool import HttpxPool
from datasources.transport.pool import OriginTransport
from schema.context import Context, Viewer
from schema.loaders import LoaderSets
from schema.sources import Sources

READS: Mapping[str, frozenset[str]] = {
    "users": Users.READS,
    "orders": Orders.READS,
    "products": Products.READS,
    "payments": Payments.READS,
    "notifications": Notifications.READS,
}
"""The services, in the order in which people are shown them, and what is read from each."""

SERVICES = tuple(READS)

SCREENS: Mapping[str, Screen] = {
    "dashboard.user": Screen(("users",)),
    "dashboard.recentOrders": Screen(("orders", "products")),
    "dashboard.recentOrders.payment": Screen(("orders", "payments")),
    "dashboard.notifications": Screen(("notifications",)),
    "createOrder": Screen(("orders",), writes=True),
}
"""What a user sees and does."""

Transport = Callable[[str, UpstreamSettings], httpx.AsyncBaseTransport]
"""How requests to a service travel."""


@dataclass(frozen=True, slots=True)
class Wired:
    """Everything below the graph.

    Attributes:
        sources: The ports, by the importance of who asks.
        board: How the services are doing.
        services: The pipeline of each, by name.
        transports: How requests travel, by name.
        latencies: How long calls take.
    """

    sources: Mapping[Importance, Sources]
    board: HealthBoard
    services: Mapping[str, Protected]
    transports: Mapping[str, httpx.AsyncBaseTransport]
    latencies: Latencies

    def prospect(self, service: str, operation: str) -> Prospect:
        """What a call would meet now; asks nobody, and changes nothing."""
        protected = self.services[service]
        return Prospect(
            breaker=protected.breaker.state,
            admits=protected.breaker.would_admit(),
            in_flight=protected.bulkhead.in_flight,
            waiting=protected.bulkhead.queued,
            patience=protected.patience,
            latency=self.latencies.of(service, operation),
        )

    def context(self, viewer: Viewer | None, idempotency_key: str | None) -> Context:
        """The context of one operation."""
        ports = self.sources.__getitem__
        return Context(
            viewer=viewer,
            ports=ports,
            loader_sets=LoaderSets(ports, due),
            status=self.board,
            idempotency_key=idempotency_key,
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


def wire(  # noqa: PLR0913 - by name only
    settings: Settings,
    *,
    credentials: Credentials,
    events: Events,
    clock: Clock,
    transport: Transport,
    least: Callable[[], Importance] = room_for_all,
    cache: ByteCache | None = None,
) -> Wired:
    """Build everything below the graph; opens nothing yet.

    Args:
        settings: Where the services are, and the numbers of their pipelines.
        credentials: For services that have no API key of their own.
        events: What happens to calls is announced there.
        clock: Replaced in tests.
        transport: `network`, or in-process services in tests.
        least: The least importance that this process has room for now.
        cache: Where answers of services are kept; None for one of the usual size.

    Raises:
        SettingsError: An operation is to be hedged that the service does not have.
    """
    check_hedges(settings)
    board = HealthBoard(SERVICES, clock)
    events.subscribe(board.record)
    latencies = Latencies(clock)
    events.subscribe(latencies.record)
    events.subscribe(tell_journal)
    usual = UsualTimes()
    events.subscribe(usual.record)
    shared = Shared(ByteCache() if cache is None else cache, events, clock, least, usual.of)
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
    sources = weighed_sources({name: service.ask for name, service in services.items()})
    return Wired(sources, board, services, transports, latencies)


def network(name: str, upstream: UpstreamSettings) -> httpx.AsyncBaseTransport:
    """Connections to where the settings say that the service is.

    Raises:
        SettingsError: A file of certificates or keys is not what it should be, or a package that
            is wanted is not there.
    """
    url = httpx.URL(str(upstream.url))
    tls = _tls(name, upstream) if url.scheme == "https" else None
    most_requests = 2 * upstream.bulkhead.limit
    if upstream.transport == "own":
        return _pool(url, tls, most_requests, upstream.unix_socket)
    http2 = upstream.transport == "http2"
    if http2 and importlib.util.find_spec("h2") is None:
        raise SettingsError(
            [f"BFF_UPSTREAMS__{name.upper()}__TRANSPORT: http2 needs the package h2 (extra http2)"]
        )
    transport = httpx.AsyncHTTPTransport(
        verify=False if tls is None else tls,
        http2=http2,
        limits=httpx.Limits(max_connections=most_requests, keepalive_expiry=4.0),
        proxy=upstream.proxy,
        uds=None if upstream.unix_socket is None else str(upstream.unix_socket),
        trust_env=False,
    )
    return HttpxPool(
        transport,
        url.copy_with(raw_path=b"/"),
        most_requests=most_requests,
        silence_seconds=max(upstream.timeout_read_seconds, upstream.timeout_write_seconds),
    )


def issuer_network(auth: AuthSettings) -> OriginTransport:
    """A connection to where the issuer's keys are; unused where a secret is shared."""
    url = httpx.URL(auth.jwks_url or "http://127.0.0.1")
    context = ssl.create_default_context() if url.scheme == "https" else None
    return _pool(url, context, most_requests=4)


def _tls(name: str, upstream: UpstreamSettings) -> ssl.SSLContext:
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
    return context


def _pool(
    url: httpx.URL, tls: ssl.SSLContext | None, most_requests: int, socket: Path | None = None
) -> OriginTransport:
    return OriginTransport(
        url.host,
        url.port or (80 if tls is None else 443),
        tls=tls,
        unix_socket=None if socket is None else str(socket),
        most_requests=most_requests,
    )


_SHARE = 0.8
"""Of an operation's time, what one attempt may take at most.

An attempt that the operation's deadline always cuts short would never be evidence against a
service that hangs, and its breaker would never open.
"""


def _attempt(deadline: float) -> float:
    return _SHARE * (deadline - RESERVE)


_SLOW_SHARE = 5 / 6
"""Of the limit of an attempt to read, from when on an answer is slow at the latest.

Beyond the limit nothing is slow; it has failed.
"""


def check_hedges(settings: Settings) -> None:
    """Refuse operations that cannot be hedged, or are spelled wrongly.

    Raises:
        SettingsError: There are some.
    """
    problems = [
        f"BFF_UPSTREAMS__{name.upper()}__HEDGE__OPERATIONS: "
        f"must be some of {', '.join(sorted(reads))}"
        for name, reads in READS.items()
        if not reads.issuperset(settings.upstream(name).hedge.operations)
    ]
    if problems:
        raise SettingsError(problems)


def _numbers(upstream: UpstreamSettings, settings: Settings) -> Numbers:
    read = min(upstream.timeout_read_seconds, _attempt(settings.deadline_seconds))
    return Numbers(
        fresh=upstream.cache.fresh_seconds,
        stale=upstream.cache.stale_seconds,
        budget=settings.deadline_seconds,
        retries=upstream.retries,
        bulkhead_limit=upstream.bulkhead.limit,
        bulkhead_queue=upstream.bulkhead.queue,
        adaptive=upstream.bulkhead.adaptive,
        failure_ratio=upstream.breaker.failure_ratio,
        minimum_calls=upstream.breaker.minimum_calls,
        window=upstream.breaker.window_seconds,
        consecutive=upstream.breaker.consecutive,
        reset=upstream.breaker.reset_seconds,
        slow=min(upstream.breaker.slow_seconds, _SLOW_SHARE * read),
        slow_ratio=upstream.breaker.slow_ratio,
        read=read,
        write=min(upstream.timeout_write_seconds, _attempt(settings.mutation_deadline_seconds)),
        hedged=frozenset(upstream.hedge.operations),
        hedge_after=upstream.hedge.after_seconds,
    )
