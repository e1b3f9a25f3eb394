"""The whole BFF over five services that live in memory, in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import jwt

from bff.build import build_app
from bff.identity.service_tokens import ServiceTokens
from bff.settings import ServiceTokenSettings, Settings
from tests.virtual_time import EPOCH, VirtualClock

SECRET = "a secret that is long enough for HS256"
NAMES = ("users", "orders", "products", "payments", "notifications")
EUROS = {"amount": "6.15", "currency": "EUR"}
NOON = "2025-12-24T12:00:00Z"


@dataclass(frozen=True)
class Fault:
    """What a service does instead of answering at once and well.

    Attributes:
        after: It does nothing for so long (seconds).
        status: What it then answers; 200 for the truth.
        body: What it answers instead; None for the truth.
        resets: It closes the connection instead.
    """

    after: float = 0.0
    status: int = 200
    body: bytes | None = None
    resets: bool = False


WELL = Fault()
FAILS = Fault(status=503)
REFUSES = Fault(status=403)
BUSY = Fault(status=429)
GARBLES = Fault(body=b"]")
RESETS = Fault(resets=True)
HANGS = Fault(after=3_600.0)


def slow(seconds: float) -> Fault:
    return Fault(after=seconds)


def an_order(number: int) -> dict[str, object]:
    return {
        "id": f"o{number}",
        "userId": "u1",
        "status": "PAID",
        "total": EUROS,
        "createdAt": NOON,
        "items": [
            {"productId": f"p{number}", "quantity": 1, "unitPrice": EUROS},
            {"productId": "p0", "quantity": 1, "unitPrice": EUROS},
        ],
    }


def found(name: str, request: httpx.Request) -> object:
    """What the service says when it is well; None for 404.

    There is no product p0, no payment of o2, no order but o1 to o3, all of u1, and no user but u1.
    """
    path, params = request.url.path, request.url.params
    if params.get("userId", "u1") != "u1":
        return {"items": [], "next": None} if "after" in params else []
    last = path.rsplit("/", 1)[-1]
    if name == "users":
        return {"id": last, "name": "Ada", "email": "ada@example.org"} if last == "u1" else None
    if name == "orders":
        return found_orders(last, params)
    if name == "products":
        return [
            {"id": key, "name": key, "price": EUROS, "stock": 1}
            for key in params["ids"].split(",")
            if key != "p0"
        ]
    if name == "payments":
        payment = {"id": f"pay-{last}", "orderId": last, "status": "CAPTURED", "method": "card"}
        return None if last == "o2" else payment
    message = {"id": "n1", "userId": "u1", "message": "Hello", "read": False, "createdAt": NOON}
    return [message, message | {"id": "n2"}][: int(params["limit"])]


def found_orders(last: str, params: httpx.QueryParams) -> object:
    if last != "orders":
        return an_order(int(last[1:])) if last in {"o1", "o2", "o3"} else None
    orders = [an_order(number) for number in (1, 2, 3)][: int(params["limit"])]
    return {"items": orders, "next": None} if "after" in params else orders


@dataclass
class Service(httpx.AsyncBaseTransport):
    """One service.

    Attributes:
        fault: What is wrong with it.
        asked: What it was sent, in order.
        busy: How many requests it has now.
    """

    name: str
    fault: Fault = WELL
    asked: list[httpx.Request] = field(default_factory=list)
    busy: int = 0

    async def handle_async_request(self, request):
        self.asked.append(request)
        self.busy += 1
        try:
            return await self._answer(request)
        finally:
            self.busy -= 1

    async def _answer(self, request):
        fault = self.fault
        await asyncio.sleep(fault.after)
        if fault.resets:
            raise httpx.ReadError("reset")
        headers = {"content-type": "application/json"}
        truth = found(self.name, request)
        if fault.status == 200 and fault.body is None and truth is None:
            return httpx.Response(404, headers=headers, content=b"{}")
        body = json.dumps(truth).encode() if fault.body is None else fault.body
        return httpx.Response(fault.status, headers=headers, content=body)


@dataclass
class Shop:
    """Services, and somebody who asks the BFF before them."""

    services: dict[str, Service]
    client: httpx.AsyncClient

    def break_(self, **faults):
        for name, service in self.services.items():
            service.fault = faults.get(name, WELL)

    @property
    def busy(self):
        return {name: service.busy for name, service in self.services.items() if service.busy}

    async def post(self, query, *, user="u1", scope="", on_error=None, variables=None, **headers):
        claims = {
            "sub": user,
            "scope": scope,
            "exp": EPOCH + timedelta(days=1),
            "iss": "test",
            "aud": "bff",
        }
        body = {"query": query, "variables": variables, "onError": on_error}
        token = {"Authorization": f"Bearer {jwt.encode(claims, SECRET)}"}
        return await self.client.post("/graphql", json=body, headers=token | headers)

    async def ask(self, query, **asked):
        return (await self.post(query, **asked)).json()

    async def warm(self, query):
        """Ask when all is well, and let what is kept grow old."""
        self.break_()
        answer = await self.ask(query)
        assert "errors" not in answer
        await asyncio.sleep(10.0)


@contextlib.asynccontextmanager
async def open_shop():
    """No retries, no breakers, nothing fresh: every question is asked, once."""
    clock = VirtualClock()
    services = {name: Service(name) for name in NAMES}
    settings = Settings.model_validate(
        {
            "upstreams": {
                name: {
                    "url": f"http://{name}.internal",
                    "retries": 0,
                    "cache": {"fresh_seconds": 0, "stale_seconds": 600},
                    "breaker": {"minimum_calls": 1_000, "consecutive": 1_000},
                }
                for name in NAMES
            },
            "auth": {"jwt_secret": SECRET, "issuer": "test", "audience": "bff"},
            "explorer": False,
        }
    )
    app = build_app(
        settings,
        service_tokens=ServiceTokens.from_settings(ServiceTokenSettings(), clock),
        transport=lambda name, _: services[name],
        clock=clock,
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bff") as client,
    ):
        yield Shop(services, client)
