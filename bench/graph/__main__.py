"""Serve a graph of the bench, made of the parts that the product is made of.

    python -m bench.graph blog --port 8000 --services http://127.0.0.1:29306
    python -m bench.graph services --count 20 --port 8000 --services http://127.0.0.1:29301

Callers prove themselves with tokens signed with BENCH_SECRET (HS256).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import strawberry
import uvloop

from bench.graph import blog, services
from bench.graph.posts import Posts
from bff.app import Parts, create_app
from bff.health import HealthBoard
from bff.identity.service_tokens import ServiceTokens
from bff.identity.user_tokens import UserTokens
from bff.pressure import Pressure
from bff.server import interruptible, listen, serving
from bff.settings import Settings, load_settings
from bff.telemetry.event_log import log_event
from bff.telemetry.journal import tell_journal
from bff.telemetry.logs import configure_logs
from bff.wiring import issuer_network, network
from datasources.clock import SystemClock
from datasources.events import Events
from datasources.importance import Importance
from datasources.resilience.cache import ByteCache
from datasources.resilience.standard import Numbers, Protected, Shared, standard_pipeline
from datasources.rest import RestSender
from datasources.transport.pool import OriginTransport
from schema.context import Context, Viewer
from schema.loaders import LoaderSets
from schema.sources import Sources

_GRACE_SECONDS = 2
_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Below:
    """What is under the graph.

    Attributes:
        services: The pipeline of each, by name.
        transports: The connections of each.
        tokens: Prove to them who is asking.
        pressure: Knows how much there is to do.
        board: How they are doing.
    """

    services: Mapping[str, Protected]
    transports: Sequence[OriginTransport]
    tokens: ServiceTokens
    pressure: Pressure
    board: HealthBoard

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """As `bff.wiring.Wired.running`."""
        async with contextlib.AsyncExitStack() as stack:
            for transport in self.transports:
                stack.push_async_callback(transport.aclose)
            for service in self.services.values():
                stack.push_async_callback(service.flights.aclose)
            yield


def wire(names: Sequence[str], url: str, settings: Settings) -> Below:
    """A pipeline for each of those services, all of which are at *url*; as `bff.wiring.wire`."""
    tokens = ServiceTokens.from_settings(settings.service_token, _CLOCK)
    events = Events(lambda error: print(f"subscriber failed: {error!r}"))
    board = HealthBoard(names, _CLOCK)
    for subscriber in (log_event, board.record, tell_journal):
        events.subscribe(subscriber)
    pressure = Pressure(clock=_CLOCK)
    shared = Shared(ByteCache(), events, _CLOCK, pressure.least)
    upstream = settings.upstream("users").model_copy(update={"url": url})
    protected: dict[str, Protected] = {}
    transports: list[OriginTransport] = []
    for name in names:
        transport = network(name, upstream)
        sender = RestSender(url, transport=transport, credentials=tokens, clock=_CLOCK)
        protected[name] = standard_pipeline(name, sender, Numbers(), shared)
        transports.append(transport)
    return Below(protected, transports, tokens, pressure, board)


def _usual(below: Below, viewer: Viewer | None, idempotency_key: str | None) -> dict[str, Any]:
    """What every context has; these graphs ask none of the product's services."""
    return {
        "viewer": viewer,
        "ports": _of_the_product,
        "loader_sets": LoaderSets(_of_the_product, _CLOCK.monotonic),
        "status": below.board,
        "idempotency_key": idempotency_key,
    }


def _of_the_product(_: Importance) -> Sources:
    raise LookupError("The product's services are not asked in this graph.")


def _blog_context(below: Below, viewer: Viewer | None, key: str | None) -> Context:
    port = Posts(below.services["posts"].ask)
    return blog.BlogContext(**_usual(below, viewer, key), posts=port, authors=blog.Authors(port))


def _services_context(below: Below, viewer: Viewer | None, key: str | None) -> Context:
    asked = {name: protected.ask for name, protected in below.services.items()}
    return services.ServicesContext(**_usual(below, viewer, key), asked=asked)


async def serve(options: argparse.Namespace, settings: Settings) -> None:
    """Until SIGINT or SIGTERM."""
    schema: strawberry.Schema
    if options.graph == "blog":
        below = wire(["posts"], options.services, settings)
        schema, new_context = blog.build_schema(), partial(_blog_context, below)
    else:
        below = wire(services.names(options.count), options.services, settings)
        schema = services.build_schema(options.count)
        new_context = partial(_services_context, below)
    user_tokens = UserTokens.from_settings(
        settings.auth, transport=issuer_network(settings.auth), clock=_CLOCK
    )
    parts = Parts(
        schema=schema,
        tokens=user_tokens,
        new_context=new_context,
        board=below.board,
        service_keys=below.tokens.jwks,
        running=below.running,
        pressure=below.pressure,
        clock=_CLOCK,
    )
    with listen("127.0.0.1", options.port) as listening:
        app = create_app(parts)
        async with interruptible(), serving(app, listening, grace=_GRACE_SECONDS):
            gc.collect()
            gc.freeze()
            gc.set_threshold(1_000, 10, 100)  # as `bff serve`
            await asyncio.Event().wait()


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("graph", choices=("blog", "services"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--services", required=True, help="where they are")
    parser.add_argument("--count", type=int, default=1, help="of services")
    options = parser.parse_args()
    settings = load_settings(
        {"BFF_AUTH__JWT_SECRET": os.environ["BENCH_SECRET"], "BFF_LOG__LEVEL": "error"}
    )
    configure_logs(settings.log)
    uvloop.run(serve(options, settings))


if __name__ == "__main__":
    main()
