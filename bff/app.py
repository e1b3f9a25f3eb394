"""The ASGI application: which path is answered by what, and what happens to every request."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from bff.graphql.documents import Documents
from bff.graphql.endpoint import Deadlines, GraphQLEndpoint
from bff.graphql.execution import Execution, core_schema
from bff.graphql.explorer import Assets, Explorer, packaged_files
from bff.graphql.limits import Limits
from bff.graphql.plan_report import Planner
from bff.graphql.refusal import NO_STORE, coded, errors_only
from bff.graphql.response_cache import MAX_BYTES, ResponseCache
from bff.graphql.seams import NewContext, Prospects, Tokens, never_asked
from bff.health import Readiness, Screen, health_routes
from bff.middleware.admission import Admission
from bff.middleware.errors import Errors
from bff.middleware.header_limits import HeaderLimits
from bff.middleware.request_id import RequestId
from bff.middleware.security_headers import SecurityHeaders
from bff.pressure import Pressure
from datasources.clock import Clock, SystemClock
from datasources.ports.status import StatusPort

Running = Callable[[], contextlib.AbstractAsyncContextManager[object]]
"""Opens what requests need, and closes it after the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the application is made of; chosen in `bff.wiring`, faked in tests.

    Attributes:
        schema: The graph of `/graphql`.
        tokens: Knows callers by their tokens.
        new_context: Makes what resolvers are given; called while `running`.
        board: How the services are doing.
        service_keys: The public keys of our service tokens, as a JWK set.
        prospects: What calls to the services would meet.
        screens: What a user sees and does, by name.
        running: Entered at start, left at the end.
        pressure: Knows how much there is to do.
        clock: Replaced in tests.
    """

    schema: strawberry.Schema
    tokens: Tokens
    new_context: NewContext
    board: StatusPort
    service_keys: Callable[[], Mapping[str, object]]
    prospects: Prospects = never_asked
    screens: Mapping[str, Screen] = field(default_factory=dict[str, Screen])
    running: Running = contextlib.nullcontext
    pressure: Pressure = field(default_factory=Pressure)
    clock: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How the application is served.

    Attributes:
        limits: How big a request may be.
        deadlines: How long an operation may take.
        response_bytes: Of whole answers that are kept; 0 keeps none.
        fresh: For how long what a service says counts as fresh (seconds), by its name.
        introspection: Whether the schema may be asked for.
        compile_from: See `Execution`.
        explorer: What the explorer starts with; None when it is off.
        more_routes: Answered too, after ours; only `bff demo` has some.
        cors_origins: Whose pages may ask; none by default.
        static: Folder with the built explorer; only looked at when it is on.
    """

    limits: Limits = field(default_factory=Limits)
    deadlines: Deadlines = field(default_factory=Deadlines)
    response_bytes: int = MAX_BYTES
    fresh: Mapping[str, float] = field(default_factory=dict[str, float])
    introspection: bool = True
    compile_from: int | None = 1
    explorer: Explorer | None = None
    more_routes: Sequence[BaseRoute] = ()
    cors_origins: Sequence[str] = ()
    static: Path = field(default_factory=packaged_files)


def create_app(parts: Parts, serving: Serving | None = None) -> Starlette:
    """Build the application; reads neither environment nor clock.

    Args:
        parts: What it is made of.
        serving: How it is served.

    Raises:
        ExplorerMissing: The explorer is on, and its files are not there.
    """
    serving = serving or Serving()
    ready = Readiness()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with parts.running():
            ready.started()
            try:
                yield
            finally:
                ready.stopping()

    app = Starlette(
        routes=_routes(parts, serving, ready),
        middleware=middleware_list(serving),
        exception_handlers={HTTPException: _not_here},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # the Location would be made of the request's Host
    return app


def middleware_list(serving: Serving) -> list[Middleware]:
    """What happens to every request, outermost first."""
    return [
        Middleware(RequestId),
        Middleware(SecurityHeaders),
        *_cors(serving.cors_origins),
        Middleware(Errors),
        Middleware(
            HeaderLimits,
            most_bytes=serving.limits.header_bytes,
            most_headers=serving.limits.headers,
        ),
    ]


def _cors(origins: Sequence[str]) -> list[Middleware]:
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST"],
            allow_headers=[
                "Authorization",
                "Bff-Explain",
                "Content-Type",
                "GraphQL-Require-Preflight",
                "Idempotency-Key",
                "X-Request-ID",
                "X-Request-Timeout-Ms",
                "traceparent",
            ],
            expose_headers=["Server-Timing", "X-Request-ID"],
        )
    ]


def _routes(parts: Parts, serving: Serving, readiness: Readiness) -> list[BaseRoute]:
    explorer = serving.explorer
    endpoint = GraphQLEndpoint(
        documents=Documents(
            core_schema(parts.schema),
            serving.limits,
            introspection=serving.introspection,
            fresh=serving.fresh,
        ),
        execution=Execution(
            parts.schema,
            introspection=serving.introspection,
            compile_from=serving.compile_from,
            clock=parts.clock,
        ),
        planner=Planner(core_schema(parts.schema), parts.prospects),
        tokens=parts.tokens,
        new_context=parts.new_context,
        responses=ResponseCache(max_bytes=serving.response_bytes, clock=parts.clock),
        limits=serving.limits,
        deadlines=serving.deadlines,
        page=explorer.page(serving.static) if explorer is not None else None,
        clock=parts.clock,
    )

    graph = Admission(endpoint, parts.pressure, has_page=explorer is not None, clock=parts.clock)

    async def keys(_: Request) -> Response:
        return Response(
            orjson.dumps(parts.service_keys()),
            media_type="application/json",
            headers={"Cache-Control": "public, max-age=60"},
        )

    routes: list[BaseRoute] = [
        Route("/graphql", graph),
        Route("/.well-known/jwks.json", keys),
        *health_routes(parts.board, readiness, parts.screens),
    ]
    if explorer is not None:
        routes.append(Mount("/static", Assets(directory=serving.static)))
    return [*routes, *serving.more_routes]


async def _not_here(_: Request, error: Exception) -> Response:
    """404 and 405 of the router, told as everything else is told."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    message = "There is nothing here." if status == 404 else "This cannot be done here."  # noqa: PLR2004
    code = "NOT_FOUND" if status == 404 else "BAD_USER_INPUT"  # noqa: PLR2004
    return Response(
        errors_only([coded(message, code)]),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": NO_STORE, **(headers or {})},
    )
