"""The whole BFF over the five reference services, in one process, without sockets."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

import httpx
import jwt
import msgspec

from bff.build import build_app
from bff.identity.service_tokens import ServiceTokens
from bff.settings import ServiceTokenSettings, Settings
from datasources.clock import SystemClock
from examples.upstreams.faults import FaultPlan
from examples.upstreams.fleet import NAMES, Fleet, InProcessTransport, open_fleet

SECRET = "an integration test's own secret"
DASHBOARD = """{ dashboard { user { id name email }
    recentOrders(limit: 5) { id status total { amount currency }
      items { quantity product { id name price { amount currency } } } }
    notifications(unread: true) { id message } } }"""


class Recorder(httpx.AsyncBaseTransport):
    """What one service was really sent."""

    def __init__(self, inner):
        self.inner = inner
        self.requests = []

    async def handle_async_request(self, request):
        self.requests.append(request)
        return await self.inner.handle_async_request(request)


@dataclass
class World:
    """Services, the BFF before them, and somebody who asks."""

    fleet: Fleet
    client: httpx.AsyncClient
    wires: dict
    app: object
    tokens: dict = field(default_factory=dict)

    def bearer(self, user="1", **claims):
        payload = {"sub": user, "exp": time.time() + 60, "iss": "test", "aud": "bff"} | claims
        return f"Bearer {jwt.encode(payload, SECRET)}"

    async def post(self, query, user="1", variables=None, **headers):
        """The HTTP response; `user=None` sends no token."""
        if user is not None:
            headers.setdefault("Authorization", self.bearer(user))
        body = {"query": query} | ({"variables": variables} if variables else {})
        return await self.client.post("/graphql", json=body, headers=headers)

    async def ask(self, query=DASHBOARD, user="1", variables=None, **headers):
        """The answer, as JSON."""
        return (await self.post(query, user, variables, **headers)).json()

    def break_(self, name, **fault):
        self.fleet.faults(name).plan = msgspec.convert(fault, FaultPlan)

    def heal(self):
        for name in NAMES:
            self.fleet.faults(name).heal()

    def sent(self, name):
        """What the BFF sent to that service, as `METHOD target`."""
        return [f"{r.method} {r.url.raw_path.decode()}" for r in self.wires[name].requests]

    def calls(self):
        """How many requests the BFF sent to each service since the last `forget`."""
        return {name: len(self.wires[name].requests) for name in NAMES}

    def forget(self):
        for wire in self.wires.values():
            wire.requests.clear()


@contextlib.asynccontextmanager
async def open_world(folder, limits=None, **upstream):
    """A world of its own.

    Args:
        folder: For the services' files.
        limits: Settings of `BFF_LIMITS`.
        upstream: Settings of every service, over quick ones.
    """
    clock = SystemClock()
    service_tokens = ServiceTokens.from_settings(ServiceTokenSettings(), clock)
    settings = Settings.model_validate(
        {
            "upstreams": {
                name: {"url": f"http://{name}.internal", "timeout_read_seconds": 0.3} | upstream
                for name in NAMES
            },
            "deadline_seconds": 1.0,
            "mutation_deadline_seconds": 2.0,
            "auth": {"jwt_secret": SECRET, "issuer": "test", "audience": "bff"},
            "explorer": False,
            "limits": limits or {},
        }
    )
    async with contextlib.AsyncExitStack() as stack:
        fleet = await stack.enter_async_context(
            open_fleet(folder, issuers={"bff": service_tokens.jwks()}, peer_seconds=0.3)
        )
        wires = {name: Recorder(InProcessTransport(fleet.apps[name])) for name in NAMES}
        app = build_app(
            settings, service_tokens=service_tokens, transport=lambda name, _: wires[name]
        )
        await stack.enter_async_context(app.router.lifespan_context(app))
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bff")
        )
        yield World(fleet, client, wires, app)


def seed(folder):
    """*folder*, with the services' files as they are at first."""

    async def fill():
        async with open_fleet(folder, issuers={}):
            pass

    asyncio.run(fill())
    return folder
