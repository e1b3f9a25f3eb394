"""The demo's own paths."""

import contextlib

import httpx
import pytest
from starlette.applications import Starlette

from bff.demo.observer import Observer
from bff.demo.switches import Switches
from datasources.events import AttemptFinished, BreakerChanged
from examples.upstreams.faults import FaultPlan
from examples.upstreams.fleet import NAMES, open_sites
from tests.virtual_time import HandClock

WELL = {
    "latencySeconds": 0.0,
    "errorRate": 0.0,
    "status": 503,
    "hang": False,
    "garbage": False,
    "reset": False,
}


@contextlib.asynccontextmanager
async def opened(folder):
    async with open_sites(folder, issuers={}) as served:
        observer = Observer(dict.fromkeys(NAMES, 10.0), HandClock())
        app = Starlette(routes=[Switches(served, observer).mount()])
        url = "http://127.0.0.1:8000/demo/"
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url) as asking,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            yield served, observer, asking, client


async def test_the_report_has_all_of_each(tmp_path):
    """Where it is, whether it is, how it fails, its breaker and its last calls."""
    async with opened(tmp_path) as (served, observer, asking, _):
        observer.record(
            AttemptFinished(
                service="users",
                operation="by_id",
                attempt=2,
                outcome="ServerFault",
                seconds=0.01234,
            )
        )
        observer.record(BreakerChanged(service="users", old="closed", new="open"))
        answer = await asking.get("services")
        assert answer.headers["cache-control"] == "no-store"
        services = answer.json()["services"]
        assert [service["name"] for service in services] == list(NAMES)
        assert services[0] == {
            "name": "users",
            "url": served.sites["users"].url,
            "running": True,
            "faults": WELL,
            "breaker": "open",
            "closedToCallsSeconds": pytest.approx(11.0),
            "failingSince": "2026-01-01T00:00:00Z",
            "lastSuccess": None,
            "servingStale": False,
            "calls": [
                {
                    "number": 1,
                    "endedAt": "2026-01-01T00:00:00Z",
                    "operation": "by_id",
                    "attempt": 2,
                    "outcome": "ServerFault",
                    "durationMs": 12.3,
                }
            ],
        }
        assert services[1]["closedToCallsSeconds"] is None


async def test_faults_are_set_and_healed(tmp_path):
    """The same switch as the service's own `/faults`."""
    async with opened(tmp_path) as (served, _, asking, client):
        put = await asking.put("services/orders/faults", json={"hang": True})
        assert put.json()["faults"] == WELL | {"hang": True}
        assert served.fleet.faults("orders").plan == FaultPlan(hang=True)
        own = await client.get(f"{served.sites['orders'].url}/faults")
        assert own.json()["hang"] is True
        healed = await asking.delete("services/orders/faults")
        assert healed.json()["faults"] == WELL


async def test_some_faults_are_changed_and_the_others_stay(tmp_path):
    """Two who switch at the same time do not undo each other."""
    async with opened(tmp_path) as (_, _, asking, _client):
        path = "services/orders/faults"
        await asking.patch(path, json={"hang": True})
        both = await asking.patch(path, json={"latencySeconds": 0.5})
        assert both.json()["faults"] == WELL | {"hang": True, "latencySeconds": 0.5}
        one = await asking.patch(path, json={"hang": False})
        assert one.json()["faults"] == WELL | {"latencySeconds": 0.5}
        anew = await asking.put(path, json={"garbage": True})
        assert anew.json()["faults"] == WELL | {"garbage": True}


async def test_a_service_is_stopped_and_started(tmp_path):
    """At the same address; doing it twice changes nothing."""
    async with opened(tmp_path) as (served, _, asking, client):
        url = f"{served.sites['users'].url}/livez"
        assert (await client.get(url)).is_success
        for _ in range(2):
            stopped = await asking.post("services/users/stop")
            assert (stopped.status_code, stopped.json()["running"]) == (200, False)
            with pytest.raises(httpx.ConnectError):
                await client.get(url)
        for _ in range(2):
            started = await asking.post("services/users/start")
            assert (started.status_code, started.json()["running"]) == (200, True)
            assert (await client.get(url)).is_success


async def test_a_port_that_is_taken_is_told(tmp_path):
    """Another program was quicker."""
    async with opened(tmp_path) as (served, _, asking, _client):
        users, orders = served.sites["users"], served.sites["orders"]
        await users.cut()
        users._address = orders._address
        refused = await asking.post("services/users/start")
        assert refused.status_code == 409
        [error] = refused.json()["errors"]
        assert error["message"] == "Another program has taken the port of this service meanwhile."


NONSENSE = [
    ("PUT", "services/users/faults", {"json": {"hang": "yes"}}, 400),
    ("PUT", "services/users/faults", {"json": {"explode": True}}, 400),
    ("PUT", "services/users/faults", {"json": {"latencySeconds": -1}}, 400),
    ("PUT", "services/users/faults", {"content": b"{}"}, 415),
    ("PUT", "services/users/faults", {"json": [True]}, 400),
    ("PATCH", "services/users/faults", {"json": {"hang": 1}}, 400),
    ("PATCH", "services/users/faults", {"json": {"explode": True}}, 400),
    (
        "PUT",
        "services/users/faults",
        {"content": b" " * 5000, "headers": {"content-type": "application/json"}},
        413,
    ),
    ("PUT", "services/weather/faults", {"json": {}}, 404),
    ("POST", "services/weather/stop", {}, 404),
    ("GET", "services/users/stop", {}, 405),
    ("POST", "services/users/stop", {"headers": {"origin": "http://evil.example"}}, 403),
    ("GET", "services", {"headers": {"sec-fetch-site": "cross-site"}}, 403),
]


async def test_nonsense_is_refused_and_changes_nothing(tmp_path):
    """With the reason as JSON."""
    async with opened(tmp_path) as (served, _, asking, _client):
        for method, path, how, status in NONSENSE:
            refused = await asking.request(method, path, **how)
            assert (path, how, refused.status_code) == (path, how, status)
            assert status == 405 or refused.json()["errors"][0]["message"]
        assert served.fleet.faults("users").plan == FaultPlan()
        assert served.sites["users"].is_open
