"""The whole BFF between clients and services that exist only in memory, on a clock of its own."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette

from bff.app import Parts, Serving, create_app
from bff.graphql.endpoint import Deadlines
from bff.identity.service_tokens import ServiceTokens
from bff.identity.user_tokens import UserTokens
from bff.pressure import Pressure
from bff.wiring import SERVICES, Wired, issuer_network, wire
from datasources.events import (
    BreakerChanged,
    CallShed,
    Event,
    Events,
    HedgeStarted,
    RetryScheduled,
)
from datasources.resilience.cache import ByteCache
from schema.clients import web
from tests.simulation import quiet
from tests.simulation.clients import Clients, Operation
from tests.simulation.door import Door
from tests.simulation.exchanges import Exchange, Exchanges
from tests.simulation.oracle import Answer, Oracle
from tests.simulation.requests import body_of, scope_of
from tests.simulation.services import Service
from tests.simulation.setting import draw
from tests.simulation.traffic import Traffic
from tests.simulation.truth import Truth
from tests.simulation.verdict import Violation
from tests.simulation.weather import Climate
from tests.simulation.wishes import Wishes
from tests.virtual_time import VirtualClock, run

_KEY = ec.derive_private_key(7, ec.SECP256R1())
_SCHEMA = web.build_schema()
_SHORTLY = 0.0005
"""After so long (seconds) whatever was cancelled is gone."""
_QUIET = 25.0
"""After so long (seconds) nothing may be under way: the longest operation and then some."""


class World:
    """One history, drawn from one seed.

    Args:
        seed: Decides everything.
        minutes: How long clients come and services fail; then all heals.
        watch: Told of every line of the history.
    """

    def __init__(self, seed: int, minutes: float, watch: Callable[[str], None] | None = None):
        self.seed, self.seconds = seed, 60.0 * minutes
        self._watch = watch
        self._digest = hashlib.sha256()
        self._clock = VirtualClock()
        self._start = self._clock.monotonic()
        self.setting = draw(self._chance("setting"))
        self.exchanges = Exchanges()
        truth = Truth(self._chance("truth"), self.seconds, self.setting.strangers)
        self.truth = truth
        self.traffic = Traffic(self.exchanges, self.setting.settings)
        self.oracle = Oracle(self.setting, self.exchanges, self.traffic, truth)
        self.operations = 0
        self.violations: list[str] = []
        self._keys = 0
        self._cache = ByteCache(max_bytes=self.setting.cache_bytes)
        limits = self.setting.settings.limits
        self._door = Door(limits.operations)
        self._pressure = Pressure(
            operations=limits.operations, wait=limits.wait_seconds, clock=self._clock
        )
        self._wired, self._app = self._build()

    def _chance(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed} {purpose}")

    def _now(self) -> float:
        return self._clock.monotonic() - self._start

    def _note(self, line: str) -> None:
        line = f"{self._now():.6f} {line}"
        self._digest.update(line.encode())
        if self._watch is not None:
            self._watch(line)

    def live(self) -> str:
        """Live it from end to end; what happened, as a digest.

        Raises:
            Violation: A promise was broken.
        """
        random.seed(self.seed)
        run(self._live())
        if self.violations:
            raise Violation("\n".join(self.violations[:5]))
        return self._digest.hexdigest()

    def _build(self) -> tuple[Wired, Starlette]:
        events = Events(self._fail)
        events.subscribe(self._happened)
        settings, clock = self.setting.settings, self._clock
        tokens = ServiceTokens(_KEY, issuer="bff", ttl=30, clock=clock)
        wired = wire(
            settings,
            credentials=tokens,
            events=events,
            clock=clock,
            transport=lambda name, _: self._service(name),
            least=self._pressure.least,
            cache=self._cache,
        )
        users = UserTokens.from_settings(
            settings.auth, transport=issuer_network(settings.auth), clock=clock
        )
        parts = Parts(
            schema=_SCHEMA,
            tokens=users,
            new_context=lambda *who: replace(wired.context(*who), new_idempotency_key=self._key),
            board=wired.board,
            service_keys=tokens.jwks,
            prospects=wired.prospect,
            running=wired.running,
            pressure=self._pressure,
            clock=clock,
        )
        deadlines = Deadlines(
            query=settings.deadline_seconds, mutation=settings.mutation_deadline_seconds
        )
        return wired, create_app(parts, Serving(deadlines=deadlines))

    def _service(self, name: str) -> Service:
        climate = Climate(self._chance(name), self.seconds, self.setting.trouble)
        return Service(
            name,
            self.truth,
            climate,
            self.exchanges,
            now=self._now,
            calendar=self._clock.now,
            note=self._note,
            arrives=self._arrives,
            ends=lambda exchange: self._judge(self.traffic.ended, exchange),
        )

    def _arrives(self, exchange: Exchange) -> None:
        self._judge(self.traffic.arrives, exchange)
        self._judge(self.oracle.arrives, exchange)

    def _key(self) -> str:
        self._keys += 1
        return f"made-{self._keys}"

    def _happened(self, event: Event) -> None:
        now = self._now()
        if isinstance(event, BreakerChanged):
            self._note(f"breaker of {event.service}: {event.old} to {event.new}")
            self._judge(self.traffic.changed, event, now)
        elif isinstance(event, RetryScheduled | HedgeStarted):
            self._judge(self.traffic.repeats, event, now)
            if isinstance(event, HedgeStarted):
                self._judge(self.traffic.hedges.starts, event)
        elif isinstance(event, CallShed):
            self.traffic.shed(event, now)

    def _fail(self, error: Exception) -> None:
        self.violations.append(f"a subscriber: {error!r}")

    def _judge(self, check: Callable[..., None], *about: Any) -> None:
        try:
            check(*about)
        except Violation as violation:
            line = f"{self._now():.6f} VIOLATION {violation}"
            self.violations.append(line)
            if self._watch is not None:
                self._watch(line)

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[None]:
        async with self._app.router.lifespan_context(self._app):
            yield

    async def _live(self) -> None:
        wishes = Wishes(self._chance("wishes"))
        clients = Clients(self._chance("clients"), wishes, self.setting.pace)
        async with self._open():
            asked: set[asyncio.Task[None]] = set()
            for operation in clients.all(self.seconds):
                pause = operation.at - self._now()
                if pause > _QUIET + 1.0:
                    await asyncio.sleep(_QUIET)
                    self._be_quiet()
                    pause = operation.at - self._now()
                if pause > 0.0:
                    await asyncio.sleep(pause)
                task = asyncio.create_task(self._ask(operation))
                asked.add(task)
                task.add_done_callback(asked.discard)
                if self.violations:
                    break
            await asyncio.sleep(max(0.0, self.seconds - self._now()) + _QUIET)
            self._be_quiet()
            if not self.violations:
                await self._heal(clients)
            self.traffic.check_all(self._judge)
        self._note("closed")

    async def _heal(self, clients: Clients) -> None:
        """All services are well now: so must be everything else, after one reset and a look."""
        longest = max(
            self.setting.settings.upstream(name).breaker.reset_seconds for name in SERVICES
        )
        self.oracle.healed = False
        for attempt in range(3):
            await asyncio.sleep(longest * 1.1 + 1.0)
            self.oracle.healed = attempt == 2
            for operation in clients.healthy(self._now()):
                await asyncio.sleep(max(0.0, operation.at - self._now()))
                await self._ask(operation)
                await asyncio.sleep(0.5)
        await asyncio.sleep(_QUIET)
        self._be_quiet()
        for name in SERVICES:
            state = self._wired.services[name].breaker.state
            if state != "closed":
                self._judge(_violated, f"healing: the breaker of {name} is {state}")

    def _be_quiet(self) -> None:
        """Nobody asks any more, so nothing may be held."""
        complaints = quiet.complaints(
            self._wired, self.exchanges, self._pressure, self._cache, self.setting.cache_bytes
        )
        for complaint in complaints:
            self._judge(_violated, complaint)

    async def _ask(self, operation: Operation) -> None:
        """One operation from the client's side."""
        self.operations += 1
        started = self._now()
        self._note(f"{operation.name} of {operation.user} begins: {operation.told()}")
        self.oracle.begins(operation, started)
        admitted = self._door.admits(operation)
        if admitted:
            self.traffic.asked(started)
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        leaving = None
        if operation.leaves is not None:
            leaving = asyncio.get_running_loop().call_later(operation.leaves, gone.set_result, None)
        sent: list[dict[str, Any]] = []
        inbox = [{"type": "http.request", "body": body_of(operation), "more_body": False}]

        async def receive() -> dict[str, Any]:
            if inbox:
                return inbox.pop()
            await gone
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(scope_of(operation, started), receive, send)
        if leaving is not None:
            leaving.cancel()
        bodies = [message["body"] for message in sent if message["type"] == "http.response.body"]
        starts = [message["status"] for message in sent if message["type"] != "http.response.body"]
        self._note(f"{operation.name} ends: {starts} {b''.join(bodies).decode()}")
        answer = Answer(operation, started, self._now(), starts, b"".join(bodies))
        answer.refused = not admitted
        answer.alone = admitted and self._door.leaves(operation)
        self._judge(self.oracle.ends, answer)
        if admitted:
            shortly = asyncio.get_running_loop().time() + _SHORTLY
            asyncio.get_running_loop().call_at(
                shortly, lambda: self._judge(self.oracle.look, answer)
            )


def _violated(message: str) -> None:
    raise Violation(message)
