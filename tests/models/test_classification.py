"""Every row of the classification, played against the real pipeline."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field

import httpx
import pytest

from datasources.credentials import ApiKey
from datasources.errors import DatasourceError, NotFound
from datasources.events import Events
from datasources.importance import Importance
from datasources.resilience.cache import ByteCache
from datasources.resilience.pipeline import SAFE_METHODS, Call, Reply, Route
from datasources.resilience.standard import Numbers, Protected, Shared, standard_pipeline
from datasources.rest import RestSender
from datasources.scope import Scope, entered
from datasources.sourced import Origin
from tests.models.classified import REPEATABLE, ROWS, UNUSED, Met, Row, kinds_of, met_in
from tests.virtual_time import VirtualClock, run

CLOCK = VirtualClock()
_ROW = 50
"""Failures that open the breaker: more than one call can have."""


class Upstream(httpx.AsyncBaseTransport):
    """Answers well, until it is told what to do."""

    def __init__(self):
        self.met = Met(answer=lambda: httpx.Response(200, json={"name": "old"}))
        self.asked = 0

    async def handle_async_request(self, request):
        self.asked += 1
        return await self.met()


@dataclass
class House:
    """One service behind its pipeline, and what has come of a call."""

    met: Met
    upstream: Upstream = field(default_factory=Upstream)
    cache: ByteCache = field(default_factory=ByteCache)
    least: Importance = Importance.OPTIONAL
    usual: float | None = None

    def __post_init__(self):
        numbers = Numbers(
            patience=3600.0,  # whoever waits, waits for the outcome
            minimum_calls=_ROW,
            consecutive=_ROW,
            bulkhead_limit=1,
            bulkhead_queue=0,
            read=self.met.limit,
            write=self.met.limit,
        )
        sender = RestSender(
            "http://users", transport=self.upstream, credentials=ApiKey("k"), clock=CLOCK
        )
        shared = Shared(
            self.cache,
            Events(),
            CLOCK,
            least=lambda: self.least,
            usual=lambda service, operation: self.usual,
        )
        self.service: Protected = standard_pipeline("users", sender, numbers, shared)

    async def ask(self, method="GET", key=None, *, deadline=5.0) -> Reply[str]:
        scope = Scope(deadline=CLOCK.monotonic() + deadline, request_id="r", principal="u1")
        with entered(scope):
            return await self.service.ask(question(method, key))

    async def meet(self, method="GET", key=None) -> Reply[str] | Exception | None:
        """What becomes of a call; None for one that was cancelled."""
        self.upstream.met = self.met
        self.least = Importance.CRITICAL if self.met.pressed else Importance.OPTIONAL
        self.usual = self.met.usual
        async with contextlib.AsyncExitStack() as stack:
            if self.met.busy:
                other = asyncio.create_task(self._occupy())
                stack.push_async_callback(asyncio.wait, [other])
                stack.callback(other.cancel)
                await asyncio.sleep(0.01)
            if self.met.open:
                await self.open()
            asked = self.upstream.asked
            task = asyncio.create_task(self.ask(method, key, deadline=self.met.deadline))
            await asyncio.wait([task], timeout=self.met.leaves)
            task.cancel()
            await asyncio.wait([task])
            await self.service.flights.aclose()
            self.upstream.asked -= asked
        if task.cancelled():
            return None
        return task.exception() or task.result()

    async def _occupy(self):
        with contextlib.suppress(DatasourceError):
            scope = Scope(deadline=CLOCK.monotonic() + 3600.0, request_id="r", principal="u2")
            with entered(scope):
                await self.service.bulkhead(question("GET", None), _never)

    async def open(self):
        """Open the breaker as failing calls do."""
        breaker = self.service.breaker
        if breaker.state == "closed":
            for permit in [breaker.acquire() for _ in range(_ROW)]:
                breaker.fail(permit)
        assert breaker.state == "open"


async def _never(call):
    await asyncio.Event().wait()


def question(method, key):
    """One of the least importance, so that it can be left out too."""
    route = Route(
        service="users",
        operation="by_id",
        scope="users:read",
        pack=str.encode,
        unpack=bytes.decode,
        method=method,
    )
    keys = ("k",) if method in SAFE_METHODS else ()
    return Call(
        route=route,
        path="/u1",
        keys=keys,
        decode=_decode,
        idempotency_key=key,
        importance=Importance.OPTIONAL,
    )


def _decode(status, body):
    record = json.loads(body)
    return {"k": record["name"] + ""} if record != {} else {}


def error_of(reply):
    """What a client is told of, when one thing was asked for; None for a value or nobody."""
    if not isinstance(reply, Reply):
        return reply
    return None if reply.parts else reply.failure or NotFound("users")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.met)
def test_what_a_client_is_told(row: Row):
    """Code and reason, whatever the method; INTERNAL for what is no error of a datasource."""
    for method, key in kinds_of(row):
        error = error_of(run(House(met_in(row)).meet(method, key)))
        told = ("", "")
        if isinstance(error, DatasourceError):
            told = (error.code, error.reason or "")
        elif error is not None:
            told = ("INTERNAL", "")
        assert told == (row.code, row.reason), (method, key)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.met)
def test_what_is_repeated(row: Row):
    """All attempts there are, or one; none where the service is not asked."""
    for method, key in kinds_of(row):
        house = House(met_in(row))
        run(house.meet(method, key))
        once = 0 if row.met.startswith("is not asked") else 1
        if row.repeated == "yes" and REPEATABLE[method, key]:
            assert house.upstream.asked > 1, (method, key)
        else:
            assert house.upstream.asked == once, (method, key)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.met)
def test_what_the_breaker_learns(row: Row):
    """The call is the probe of a breaker that was open: it closes, opens again, or does neither."""
    met = met_in(row)

    async def story(method, key):
        house = House(met)
        await house.open()
        if not met.open:
            await asyncio.sleep(60.0)
        await house.meet(method, key)
        breaker = house.service.breaker
        if met.open:
            return "nothing" if breaker.state == "open" else breaker.state
        if breaker.state == "closed":
            return "health"
        return "nothing" if breaker.would_admit() else "failure"

    for method, key in kinds_of(row):
        assert run(story(method, key)) == row.breaker, (method, key)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.met)
def test_what_becomes_of_the_old_value(row: Row):
    """Served and marked with the reason, forgotten, kept, or renewed; a write leaves it alone."""
    met = met_in(row)

    async def story(method, key):
        house = House(met)
        await house.ask()
        reply = await house.meet(method, key)
        return reply, house

    reply, house = run(story("GET", None))
    part = reply.parts.get("k") if isinstance(reply, Reply) else None
    if part is None:
        became = "kept" if len(house.cache) else "forgotten"
    elif part.origin is Origin.STALE:
        assert (part.value, part.reason) == ("old", row.reason)
        became = "served"
    else:
        assert (part.value, part.origin) == ("new", Origin.LIVE)
        became = "renewed"
    assert became == row.old
    for method, key in kinds_of(row):
        if method not in SAFE_METHODS:
            _, house = run(story(method, key))
            assert len(house.cache) == 1, (method, key)


def test_every_situation_has_its_row():
    """And every row its situation, once."""
    assert set() == UNUSED
    assert len({row.met for row in ROWS}) == len(ROWS)
    assert all(met_in(row) for row in ROWS)


def test_a_row_says_what_it_may_say():
    """A typing error would else be a column that nothing is compared with."""
    for row in ROWS:
        assert row.repeated in {"yes", "no"}
        assert row.breaker in {"failure", "health", "nothing"}
        assert row.old in {"served", "forgotten", "kept", "renewed"}
