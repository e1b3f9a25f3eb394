"""The fault switch, in-process."""

import asyncio
import json
import random
from datetime import UTC, datetime

import httpx
import pytest

from examples.upstreams.faults import WELL, ConnectionAborted, FaultPlan, is_loopback
from examples.upstreams.fleet import NAMES, InProcessTransport
from tests.unit.upstreams.shop import open_shop
from tests.virtual_time import run

QUIET = {
    "latencySeconds": 0.0,
    "errorRate": 0.0,
    "status": 503,
    "hang": False,
    "garbage": False,
    "reset": False,
}


async def switch(shop, method, service="users", client="127.0.0.1", path="/faults", **more):
    transport = httpx.ASGITransport(shop.fleet.apps[service], client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as caller:
        return await caller.request(method, path, **more)


@pytest.mark.parametrize("service", NAMES)
async def test_every_service_has_the_switch(shop, service):
    """What is put is what is got; what is absent is well; deleting heals."""
    put = await switch(shop, "PUT", service, json={"errorRate": 1, "status": 500})
    assert put.json() == QUIET | {"errorRate": 1.0, "status": 500}
    assert (await switch(shop, "GET", service)).json() == put.json()
    assert (await shop.ask(service, "/anything")).status_code == 500
    assert (await switch(shop, "PUT", service, json={"garbage": True})).json() == (
        QUIET | {"garbage": True}
    )
    assert (await switch(shop, "DELETE", service)).json() == QUIET
    assert (await shop.ask(service, "/anything")).status_code == 404


async def test_what_is_no_plan_is_refused(shop):
    """Unknown names, values of another type or out of range: 400, and nothing changes."""
    shop.fleet.faults("users").plan = plan = FaultPlan(status=500)
    for body in (
        *('{"latency": 1}', '{"latencySeconds": -1}', '{"latencySeconds": 1e9}', "[]", "", "{"),
        *('{"latencySeconds": NaN}', '{"latencySeconds": true}', '{"latencySeconds": "1"}'),
        *('{"errorRate": 1.1}', '{"errorRate": -0.1}', '{"errorRate": null}', '{"hang": 1}'),
        *('{"status": 200}', '{"status": 600}', '{"status": 503.5}', '{"reset": "true"}'),
    ):
        answer = await switch(shop, "PUT", content=body)
        assert (answer.status_code, shop.fleet.faults("users").plan) == (400, plan), body


async def test_only_this_machine_may_use_it(shop):
    """Another caller is refused, with the record of requests too."""
    for method, path in (
        ("GET", "/faults"),
        ("PUT", "/faults"),
        ("DELETE", "/faults"),
        ("GET", "/requests"),
        ("DELETE", "/requests"),
    ):
        answer = await switch(shop, method, client="192.0.2.1", path=path, json={"reset": True})
        assert answer.status_code == 403
    assert shop.fleet.faults("users").plan == WELL


@pytest.mark.parametrize(
    ("client", "loopback"),
    [
        (("127.0.0.1", 1), True),
        (("127.8.8.8", 1), True),
        (("::1", 1), True),
        (("10.0.0.1", 1), False),
        (("localhost", 1), False),
        (None, False),
    ],
)
def test_loopback_is_an_address(client, loopback):
    """Names are not looked up, and whoever has no address is not on this machine."""
    assert is_loopback({"client": client}) is loopback


async def test_the_switch_and_the_pulse_never_fail(shop):
    """Whatever is broken, `/livez`, `/faults` and `/requests` answer."""
    shop.fleet.faults("users").plan = FaultPlan(latency_seconds=9, hang=True, reset=True)
    for path, status in (("/livez", 200), ("/faults", 200), ("/requests", 200)):
        assert (await switch(shop, "GET", path=path)).status_code == status
    assert (await switch(shop, "GET", path="/livez")).json() == {"status": "ok"}


async def test_requests_are_recorded_before_they_are_broken(shop):
    """With the query, in order, without those to the switch; until they are forgotten."""
    shop.fleet.faults("orders").plan = FaultPlan(error_rate=1)
    await shop.ask("orders", "/orders?userId=1&limit=2")
    await shop.order("k", {"p-1": 1})
    recorded = (await switch(shop, "GET", "orders", path="/requests")).json()
    assert [(seen["method"], seen["path"], seen["query"]) for seen in recorded] == [
        ("GET", "/orders", "userId=1&limit=2"),
        ("POST", "/orders", ""),
    ]
    assert [seen.path for seen in shop.fleet.requests("orders")] == ["/orders", "/orders"]
    assert all(datetime.fromisoformat(seen["at"]).tzinfo == UTC for seen in recorded)
    assert (await switch(shop, "DELETE", "orders", path="/requests")).json() == []
    assert shop.fleet.requests("orders") == []


async def test_garbage_is_200_and_no_json(shop):
    """It says that it is JSON, and is not."""
    shop.fleet.faults("users").plan = FaultPlan(garbage=True)
    answer = await shop.ask("users", "/users/1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_a_reset_in_process_is_an_exception(shop):
    """One of its own from the app, and httpx's from the transport that knows it."""
    shop.fleet.faults("users").plan = FaultPlan(reset=True)
    with pytest.raises(ConnectionAborted):
        await switch(shop, "GET", path="/users/1")
    transport = InProcessTransport(shop.fleet.apps["users"])
    async with httpx.AsyncClient(transport=transport, base_url="http://users") as client:
        with pytest.raises(httpx.ReadError):
            await client.get("/users/1")


async def test_the_error_rate_is_drawn_from_the_chance_that_was_given(folder):
    """The same requests fail every time; three tenths of them, or so."""
    runs = []
    for _ in range(2):
        async with open_shop(folder, chance=random.Random(7)) as shop:
            shop.fleet.faults("products").plan = FaultPlan(error_rate=0.3, status=502)
            answers = [await shop.ask("products", "/products/p-1") for _ in range(100)]
        runs.append([answer.status_code for answer in answers])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 502}
    assert 20 <= runs[0].count(502) <= 40


async def test_what_is_broken_has_no_effect(shop):
    """An error, garbage or a reset comes instead of the order."""
    before = (await shop.ask("orders", "/orders?userId=1&limit=1000")).json()
    for plan in (FaultPlan(error_rate=1), FaultPlan(garbage=True), FaultPlan(reset=True)):
        shop.fleet.faults("orders").plan = plan
        try:
            await shop.order("k", {"p-1": 1})
        except httpx.ReadError:
            assert plan.reset
    shop.fleet.faults("orders").heal()
    assert (await shop.ask("orders", "/orders?userId=1&limit=1000")).json() == before
    assert shop.asked("payments") == []


def test_latency_comes_before_the_answer(folder):
    """Half a second of it; healing ends it at once."""

    async def story():
        async with open_shop(folder) as shop:
            loop, faults = asyncio.get_running_loop(), shop.fleet.faults("users")
            faults.plan = FaultPlan(latency_seconds=0.5)
            start = loop.time()
            assert (await shop.ask("users", "/users/1")).status_code == 200
            assert loop.time() - start == pytest.approx(0.5)
            faults.plan = FaultPlan(latency_seconds=3600)
            asking = asyncio.create_task(shop.ask("users", "/users/1"))
            await asyncio.sleep(10)
            assert not asking.done()
            faults.heal()
            start = loop.time()
            assert (await asking).status_code == 200
            assert loop.time() == start

    run(story())


async def test_latency_is_slept_by_whom_it_was_given(folder):
    """So that a test need not wait."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    async with open_shop(folder, sleep=sleep) as shop:
        shop.fleet.faults("users").plan = FaultPlan(latency_seconds=30)
        assert (await shop.ask("users", "/users/1")).status_code == 200
    assert slept == [30]


def test_a_hang_lasts_until_it_is_healed(folder):
    """An hour later there is no answer; healed, there is, and the body was not lost."""

    async def story():
        async with open_shop(folder) as shop:
            shop.fleet.faults("orders").plan = FaultPlan(hang=True)
            ordering = asyncio.create_task(shop.order("k", {"p-1": 1}))
            await asyncio.sleep(3600)
            assert not ordering.done()
            assert shop.asked("payments") == []
            shop.fleet.faults("orders").heal()
            assert (await ordering).status_code == 201

    run(story())
