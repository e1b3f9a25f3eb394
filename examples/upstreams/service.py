"""The front of a service: routes, who may call them, and the shape of what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.upstreams.faults import FaultPlan, Faults, FaultSwitch, is_loopback
from examples.upstreams.tokens import Caller, InvalidToken, Verifier
from examples.upstreams.values import ID, instant

Endpoint: TypeAlias = Callable[[Request, Caller], Awaitable[Response]]

T = TypeVar("T")

MOST_ROWS = 1000
_LARGEST_BODY = 65_536
_LIMIT = re.compile(r"[0-9]{1,4}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Problem(Exception):
    """The answer is an error: `{"error": {"code", "message"}}`.

    Attributes:
        status: HTTP status.
        code: Stable name; callers may branch on it.
    """

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        scope: What the caller's token must allow.
        run: Answers; raises `Problem`.
    """

    scope: str
    run: Endpoint


def answer(data: object, status: int = HTTPStatus.OK) -> Response:
    """*data* as JSON."""
    return Response(msgspec.json.encode(data), status, media_type="application/json")


def build_app(
    verifier: Verifier, faults: Faults, resources: Mapping[str, Mapping[str, Operation]]
) -> Starlette:
    """One service.

    Args:
        verifier: Says who is calling.
        faults: Its fault switch.
        resources: For each path, the operation behind each method.
    """
    routes = [
        Route("/livez", _alive, methods=["GET"]),
        Route("/faults", _faults_endpoint(faults), methods=["GET", "PUT", "DELETE"]),
        Route("/requests", _requests_endpoint(faults), methods=["GET", "DELETE"]),
        *(_route(path, verifier, operations) for path, operations in resources.items()),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(FaultSwitch, faults=faults)],
        exception_handlers={Problem: _problem, HTTPException: _http_exception},
    )
    app.router.redirect_slashes = False
    return app


def _route(path: str, verifier: Verifier, operations: Mapping[str, Operation]) -> Route:
    async def endpoint(request: Request) -> Response:
        operation = operations["GET" if request.method == "HEAD" else request.method]
        try:
            caller = await verifier.caller(request.headers.get("authorization", ""))
        except InvalidToken as cause:
            message = "a valid service token is needed"
            raise Problem(HTTPStatus.UNAUTHORIZED, "UNAUTHENTICATED", message) from cause
        if operation.scope not in caller.scopes:
            message = f"the token does not allow {operation.scope}"
            raise Problem(HTTPStatus.FORBIDDEN, "FORBIDDEN", message)
        return await operation.run(request, caller)

    return Route(path, endpoint, methods=list(operations))


def require_self(caller: Caller, user_id: str) -> None:
    """Refuse to serve one user with the data of another.

    Raises:
        Problem: 403; the same whether or not there is such a user.
    """
    if not caller.speaks_for(user_id):
        raise Problem(HTTPStatus.FORBIDDEN, "FORBIDDEN", "the token is for somebody else")


def not_found(what: str) -> Problem:
    """There is none, or none that is the caller's business."""
    return Problem(HTTPStatus.NOT_FOUND, "NOT_FOUND", f"no such {what}")


def bad_request(message: str) -> Problem:
    """The request makes no sense."""
    return Problem(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", message)


def path_id(request: Request, what: str) -> str:
    """The id in the path; one that could not exist is one that does not."""
    value: str = request.path_params["id"]
    if re.match(ID, value) is None:
        raise not_found(what)
    return value


def query_id(request: Request, name: str) -> str:
    """A required id in the query."""
    value = request.query_params.get(name, "")
    if re.match(ID, value) is None:
        raise bad_request(f"{name} must be an id")
    return value


def query_limit(request: Request) -> int:
    """How many rows are wanted: 20 unless `limit` says otherwise."""
    text = request.query_params.get("limit", "20")
    limit = int(text) if _LIMIT.fullmatch(text) else 0
    if not 1 <= limit <= MOST_ROWS:
        raise bad_request(f"limit must be from 1 to {MOST_ROWS}")
    return limit


def idempotency_key(request: Request) -> str:
    """The required `Idempotency-Key`."""
    key = request.headers.get("idempotency-key", "")
    if _KEY.fullmatch(key) is None:
        raise bad_request("Idempotency-Key must be 1 to 255 visible ASCII characters")
    return key


async def read_body(request: Request, shape: type[T]) -> T:
    """The body, as *shape*.

    Raises:
        Problem: 400 when it is not JSON or not of that shape, 413 when it is too long.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            message = f"at most {_LARGEST_BODY} bytes"
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TOO_LARGE", message)
    try:
        return msgspec.json.decode(bytes(body), type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as cause:
        raise bad_request(str(cause)) from cause


async def _alive(_request: Request) -> Response:
    return answer({"status": "ok"})


def _faults_endpoint(faults: Faults) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        _require_loopback(request)
        if request.method == "PUT":
            faults.plan = await read_body(request, FaultPlan)
        elif request.method == "DELETE":
            faults.heal()
        return answer(faults.plan)

    return endpoint


def _requests_endpoint(faults: Faults) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        _require_loopback(request)
        if request.method == "DELETE":
            faults.requests.clear()
        return answer(
            [
                {"method": seen.method, "path": seen.path, "query": seen.query}
                | {"at": instant(seen.at)}
                for seen in faults.requests
            ]
        )

    return endpoint


def _require_loopback(request: Request) -> None:
    if not is_loopback(request.scope):
        raise Problem(HTTPStatus.FORBIDDEN, "FORBIDDEN", "for callers on this machine only")


def _error(status: int, code: str, message: str, headers: Mapping[str, str] | None) -> Response:
    response = answer({"error": {"code": code, "message": message}}, status)
    response.headers.update(headers or {})
    return response


async def _problem(_request: Request, problem: Exception) -> Response:
    if not isinstance(problem, Problem):
        raise problem
    unauthorized = problem.status == HTTPStatus.UNAUTHORIZED
    headers = {"WWW-Authenticate": "Bearer"} if unauthorized else None
    return _error(problem.status, problem.code, str(problem), headers)


async def _http_exception(_request: Request, problem: Exception) -> Response:
    if not isinstance(problem, HTTPException):
        raise problem
    code = HTTPStatus(problem.status_code).name
    return _error(problem.status_code, code, problem.detail, problem.headers)
