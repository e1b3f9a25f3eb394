"""`/demo/services`: how the five are doing, and the switches that break and mend them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
import orjson
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bff.demo.observer import FinishedCall, Observer
from bff.demo.own_page import OwnPageOnly, refusal
from bff.graphql.refusal import NO_STORE
from datasources.ports.status import ServiceStatus
from examples.upstreams.faults import WELL, FaultPlan
from examples.upstreams.fleet import ServedFleet
from schema.types.instant import rfc3339

_LARGEST_BODY = 4096

Do = Callable[[str, Request], Awaitable[Response | None]]
"""What one switch does to the service of that name; None when it is done."""


class Switches:
    """The demo's own paths.

    Args:
        served: The services.
        observer: Knows how they are doing.
    """

    def __init__(self, served: ServedFleet, observer: Observer) -> None:
        self._served = served
        self._observer = observer

    def mount(self) -> Mount:
        """Everything below `/demo`."""
        service = "/services/{name}"
        return Mount(
            "/demo",
            routes=[
                Route("/services", self._report, methods=["GET"]),
                Route(f"{service}/faults", self._switch(self._break), methods=["PUT"]),
                Route(f"{service}/faults", self._switch(self._change), methods=["PATCH"]),
                Route(f"{service}/faults", self._switch(self._heal), methods=["DELETE"]),
                Route(f"{service}/stop", self._switch(self._stop), methods=["POST"]),
                Route(f"{service}/start", self._switch(self._start), methods=["POST"]),
            ],
            middleware=[Middleware(OwnPageOnly)],
        )

    async def _report(self, _: Request) -> Response:
        return _json({"services": [self._shown(each) for each in self._observer.statuses()]})

    def _switch(self, do: Do) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            name: str = request.path_params["name"]
            if name not in self._served.sites:
                return refusal(HTTPStatus.NOT_FOUND, "NOT_FOUND", "There is no such service.")
            refused = await do(name, request)
            if refused is not None:
                return refused
            [status] = [each for each in self._observer.statuses() if each.name == name]
            return _json(self._shown(status))

        return endpoint

    async def _break(self, name: str, request: Request) -> Response | None:
        return await self._plan(name, request, onto=WELL)

    async def _change(self, name: str, request: Request) -> Response | None:
        return await self._plan(name, request, onto=None)

    async def _plan(
        self, name: str, request: Request, *, onto: FaultPlan | None
    ) -> Response | None:
        """Take the faults in the body; what is absent is as in *onto*, or as it is."""
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            message = "Send the faults as application/json."
            return refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "BAD_USER_INPUT", message)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_BODY:
                message = f"Faults have at most {_LARGEST_BODY} bytes."
                return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BAD_USER_INPUT", message)
        faults = self._served.fleet.faults(name)
        before: dict[str, object] = msgspec.to_builtins(onto or faults.plan)
        try:
            changes = msgspec.json.decode(bytes(body), type=dict[str, object])
            plan = msgspec.convert(before | changes, FaultPlan)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
            return refusal(
                HTTPStatus.BAD_REQUEST, "BAD_USER_INPUT", f"These are no faults: {wrong}"
            )
        faults.plan = plan
        return None

    async def _heal(self, name: str, _: Request) -> None:
        self._served.fleet.faults(name).heal()

    async def _stop(self, name: str, _: Request) -> None:
        await self._served.sites[name].cut()

    async def _start(self, name: str, _: Request) -> Response | None:
        try:
            await self._served.sites[name].open()
        except OSError:
            message = "Another program has taken the port of this service meanwhile."
            return refusal(HTTPStatus.CONFLICT, "UPSTREAM_UNAVAILABLE", message)
        return None

    def _shown(self, status: ServiceStatus) -> dict[str, object]:
        name = status.name
        is_open = status.breaker == "open"
        return {
            "name": name,
            "url": self._served.sites[name].url,
            "running": self._served.sites[name].is_open,
            "faults": msgspec.to_builtins(self._served.fleet.faults(name).plan),
            "breaker": status.breaker,
            "closedToCallsSeconds": self._observer.closed_to_calls(name) if is_open else None,
            "failingSince": status.failing_since and rfc3339(status.failing_since),
            "lastSuccess": status.last_success and rfc3339(status.last_success),
            "servingStale": status.serving_stale,
            "calls": [_call(call) for call in self._observer.calls(name)],
        }


def _call(call: FinishedCall) -> dict[str, object]:
    return {
        "number": call.number,
        "endedAt": rfc3339(call.ended_at),
        "operation": call.operation,
        "attempt": call.attempt,
        "outcome": call.outcome,
        "durationMs": round(call.seconds * 1000, 1),
    }


def _json(body: object) -> Response:
    return Response(
        orjson.dumps(body), media_type="application/json", headers={"Cache-Control": NO_STORE}
    )
