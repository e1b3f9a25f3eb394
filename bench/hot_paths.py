"""The paths that nearly every request takes, in this process, with nobody else to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import jwt
import msgspec
from pipeline import AtOnce as AnsweredAtOnce
from pipeline import protected, question
from starlette.applications import Starlette
from starlette.types import Message

from bff.build import build_app
from bff.graphql.documents import Documents
from bff.graphql.execution import Execution, core_schema
from bff.graphql.limits import Limits
from bff.health import HealthBoard
from bff.identity.service_tokens import ServiceTokens
from bff.settings import Settings, UpstreamSettings, load_settings
from bff.wiring import SERVICES
from datasources.clock import SystemClock
from datasources.ports.notifications import Notification
from datasources.ports.orders import Order
from datasources.ports.products import Product, ProductId
from datasources.ports.users import User, UserId
from datasources.scope import Scope, entered
from datasources.sourced import Sourced
from schema.clients import web
from schema.context import Context, Viewer
from schema.loaders import LoaderSets
from schema.sources import Sources

Action = Callable[[], Awaitable[object]]
_QUERY = (Path(__file__).resolve().parent / "peers/queries/q1.graphql").read_text("utf-8").strip()
_SECRET = "a benchmark's own secret, of no use elsewhere"  # noqa: S105 - made up for this
_CLOCK = SystemClock()
_AN_HOUR = 3_600.0
_AT = "2026-01-02T03:04:05Z"
_MONEY = {"amount": "9.99", "currency": "EUR"}
_OK = 200

_USER = {"id": "1", "name": "Ada", "email": "ada@example.org", "createdAt": _AT}
_ORDERS = [
    {
        "id": f"o-{order}",
        "userId": "1",
        "status": "PAID",
        "total": _MONEY,
        "createdAt": _AT,
        "items": [
            {"productId": str(order * 2 + line), "quantity": 1, "unitPrice": _MONEY}
            for line in range(2)
        ],
    }
    for order in range(5)
]
_PRODUCTS = [
    {"id": str(number), "name": f"Product {number}", "price": _MONEY, "stock": 7}
    for number in range(10)
]
_NOTES = [
    {"id": f"n-{number}", "userId": "1", "message": "Hello", "read": False, "createdAt": _AT}
    for number in range(3)
]
_BODIES = {
    name: json.dumps(value).encode()
    for name, value in (
        ("users", _USER),
        ("orders", _ORDERS),
        ("products", _PRODUCTS),
        ("notifications", _NOTES),
    )
}


class AtOnce(httpx.AsyncBaseTransport):
    """Has the answer of a service ready."""

    def __init__(self, service: str) -> None:
        self._body = _BODIES.get(service, b"[]")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Called by `RestSender`."""
        return httpx.Response(_OK, headers=_JSON, content=self._body)


_JSON = {"content-type": "application/json"}


@contextlib.asynccontextmanager
async def hot_paths() -> AsyncGenerator[Mapping[str, Action]]:
    """By name; to be awaited on the event loop that enters this."""
    settings = _settings()
    app = build_app(
        settings,
        service_tokens=ServiceTokens.from_settings(settings.service_token, _CLOCK),
        transport=_at_once,
    )
    send = AnsweredAtOnce()
    live, fresh = protected(send), protected(send, fresh=_AN_HOUR)
    deadline = _CLOCK.monotonic() + _AN_HOUR
    with entered(Scope(deadline=deadline, request_id="bench", principal="1")):
        async with app.router.lifespan_context(app):
            yield {
                "dashboard, nothing kept": partial(_post, app, _QUERY),
                "dashboard, engine alone": _engine(),
                "door and view: { __typename }": partial(_post, app, "{ __typename }"),
                "a call through the pipeline": lambda: live(question()),
                "a call that is kept fresh": lambda: fresh(question()),
            }


def _at_once(name: str, _: UpstreamSettings) -> AtOnce:
    return AtOnce(name)


def _settings() -> Settings:
    urls = {f"BFF_UPSTREAMS__{name.upper()}__URL": f"http://{name}" for name in SERVICES}
    return load_settings(
        urls
        | {
            "BFF_AUTH__JWT_SECRET": _SECRET,
            "BFF_EXPLORER": "off",
            "BFF_LOG__LEVEL": "error",
            "BFF_UPSTREAMS__PRODUCTS__CACHE__FRESH_SECONDS": "0",
        }
    )


async def _post(app: Starlette, query: str) -> None:
    """Ask the whole application, as uvicorn does."""
    requests = iter([{"type": "http.request", "body": _body(query), "more_body": False}])
    sent: list[Message] = []

    async def receive() -> Message:
        for message in requests:
            return message
        await asyncio.get_running_loop().create_future()  # the client stays
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await app({**_HTTP, "headers": _headers()}, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    if sent[0]["status"] != _OK or b'"errors"' in body:
        raise SystemExit(f"Not an answer: {body[:300]!r}")


_HTTP = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "path": "/graphql",
    "raw_path": b"/graphql",
    "query_string": b"",
    "root_path": "",
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 8000),
}
_bodies: dict[str, bytes] = {}
_TOKEN = jwt.encode({"sub": "1", "exp": int(time.time()) + 3_600}, _SECRET, "HS256")


def _body(query: str) -> bytes:
    body = _bodies.get(query)
    if body is None:
        body = _bodies[query] = json.dumps({"query": query}).encode()
    return body


def _headers() -> list[tuple[bytes, bytes]]:
    return [
        (b"host", b"127.0.0.1:8000"),
        (b"accept", b"application/json"),
        (b"content-type", b"application/json"),
        (b"authorization", f"Bearer {_TOKEN}".encode()),
    ]


def _engine() -> Action:
    """Execute the dashboard with ports that have the records ready."""
    schema = web.build_schema()
    document = Documents(core_schema(schema), Limits()).get(_QUERY)
    execution = Execution(schema)
    sources = _sources()
    board = HealthBoard(SERVICES, _CLOCK)

    async def run() -> None:
        context = Context(
            viewer=Viewer(id=UserId("1")),
            ports=lambda _: sources,
            loader_sets=LoaderSets(lambda _: sources, lambda: 0.0),
            status=board,
        )
        result = await execution.run(document, None, None, context)
        context.end()
        if result.errors:
            raise SystemExit(f"Not an answer: {result.errors}")

    return run


def _sources() -> Sources:
    user = Sourced(msgspec.convert(_USER, User), "users", _CLOCK.now())
    orders = Sourced(msgspec.convert(_ORDERS, tuple[Order, ...]), "orders", _CLOCK.now())
    notes = msgspec.convert(_NOTES, tuple[Notification, ...])
    found = Sourced(notes, "notifications", _CLOCK.now())
    products = {
        product.id: Sourced(product, "products", _CLOCK.now())
        for product in msgspec.convert(_PRODUCTS, tuple[Product, ...])
    }

    async def by_ids(ids: list[ProductId]) -> dict[ProductId, Sourced[Product]]:
        return {product_id: products[product_id] for product_id in ids}

    ports: dict[str, Any] = {
        "users": SimpleNamespace(by_id=_giving(user)),
        "orders": SimpleNamespace(recent=_giving(orders)),
        "products": SimpleNamespace(by_ids=by_ids),
        "payments": SimpleNamespace(),
        "notifications": SimpleNamespace(recent=_giving(found)),
    }
    return Sources(**ports)


def _giving(value: object) -> Callable[..., Awaitable[object]]:
    async def ask(*_: object, **__: object) -> object:
        return value

    return cast("Callable[..., Awaitable[object]]", ask)
