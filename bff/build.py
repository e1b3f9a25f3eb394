"""From settings to the application."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence

import httpx
import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bff.app import Parts, Serving, create_app
from bff.graphql.endpoint import Deadlines
from bff.graphql.explorer import Explorer, packaged_files
from bff.graphql.limits import Limits
from bff.identity.service_tokens import ServiceTokens
from bff.identity.user_tokens import UserTokens
from bff.pressure import Pressure
from bff.settings import Settings
from bff.telemetry.event_log import log_event
from bff.wiring import SCREENS, SERVICES, Transport, Wired, issuer_network, network, wire
from datasources.clock import Clock, SystemClock
from datasources.events import Events, Subscriber
from schema.clients import web

_log = structlog.get_logger()

_COMPILE_FROM = 2
"""What is asked once only is not worth a plan."""


def build_app(  # noqa: PLR0913 - by name only
    settings: Settings,
    *,
    service_tokens: ServiceTokens,
    demo_token: str | None = None,
    subscribers: Sequence[Subscriber] = (),
    more_routes: Sequence[BaseRoute] = (),
    transport: Transport = network,
    keys: httpx.AsyncBaseTransport | None = None,
    clock: Clock | None = None,
) -> Starlette:
    """The BFF, ready to be served; nothing is opened before its lifespan begins.

    Args:
        settings: Read by the caller; nothing here reads the environment.
        service_tokens: Prove to services who is asking.
        demo_token: Filled in for the visitor of the explorer; only `bff demo` has one.
        subscribers: Told of what happens to calls, after our own.
        more_routes: Answered too, after ours; only `bff demo` has some.
        transport: How requests to a service travel; tests give in-process services.
        keys: How the issuer's keys are fetched; tests give an in-process issuer.
        clock: Replaced in tests.

    Raises:
        ExplorerMissing: The explorer is on, and was not built.
        SettingsError: Nobody's tokens could be verified.
    """
    clock = clock or SystemClock()
    events = Events(lambda error: _log.error("subscriber failed", error=type(error).__name__))
    events.subscribe(log_event)
    limits = settings.limits
    pressure = Pressure(operations=limits.operations, wait=limits.wait_seconds, clock=clock)
    wired = wire(
        settings,
        credentials=service_tokens,
        events=events,
        clock=clock,
        transport=transport,
        least=pressure.least,
    )
    for subscriber in subscribers:
        events.subscribe(subscriber)
    user_tokens = UserTokens.from_settings(
        settings.auth, transport=keys or issuer_network(settings.auth), clock=clock
    )
    parts = Parts(
        schema=web.build_schema(),
        tokens=user_tokens,
        new_context=wired.context,
        board=wired.board,
        service_keys=service_tokens.jwks,
        prospects=wired.prospect,
        screens=SCREENS,
        running=lambda: _running(wired, user_tokens),
        pressure=pressure,
        clock=clock,
    )
    return create_app(parts, _serving(settings, demo_token, more_routes))


@contextlib.asynccontextmanager
async def _running(wired: Wired, user_tokens: UserTokens) -> AsyncGenerator[None]:
    async with wired.running(), contextlib.aclosing(user_tokens):
        yield


def _serving(
    settings: Settings, demo_token: str | None, more_routes: Sequence[BaseRoute]
) -> Serving:
    explorer = Explorer(token=demo_token) if settings.explorer else None
    kept = settings.response_cache
    return Serving(
        limits=Limits(**settings.limits.model_dump()),
        deadlines=Deadlines(
            query=settings.deadline_seconds, mutation=settings.mutation_deadline_seconds
        ),
        response_bytes=kept.max_bytes if kept.enabled else 0,
        fresh={name: settings.upstream(name).cache.fresh_seconds for name in SERVICES},
        introspection=settings.introspection,
        compile_from=_COMPILE_FROM if settings.engine == "compiled" else None,
        explorer=explorer,
        more_routes=more_routes,
        cors_origins=settings.cors.origins,
        static=packaged_files(),
    )
