"""Each service broken in each way, before and after the cache is warm."""

import asyncio

import pytest

from examples.upstreams.fleet import NAMES
from tests.integration.world import open_world

QUERY = """{ dashboard {
  user { id freshness { origin reason } }
  recentOrders(limit: 3) { id freshness { origin reason }
    payment { id freshness { origin reason } }
    items { product { id freshness { origin reason } } } }
  notifications { id freshness { origin reason } } } }"""

FAULTS = {
    "fails": ({"errorRate": 1.0, "status": 503}, "UPSTREAM_UNAVAILABLE", {"SERVER_ERROR"}),
    "hangs": ({"hang": True}, "UPSTREAM_TIMEOUT", {"REVALIDATING", "TIMEOUT"}),
    "garbles": ({"garbage": True}, "UPSTREAM_BAD_REPLY", {"BAD_REPLY"}),
    "resets": ({"reset": True}, "UPSTREAM_UNAVAILABLE", {"UNREACHABLE"}),
    "is slow": ({"latencySeconds": 0.6}, "UPSTREAM_TIMEOUT", {"REVALIDATING", "TIMEOUT"}),
}
SECTIONS = {"users": "user", "orders": "recentOrders", "notifications": "notifications"}


def sourced(node, path=()):
    """Everything with a freshness in an answer, by path, with the service it is from."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from sourced(item, (*path, index))
    elif isinstance(node, dict):
        if "freshness" in node:
            yield path, node["freshness"]
        for key, value in node.items():
            yield from sourced(value, (*path, key))


def service_of(path):
    words = [step for step in path if isinstance(step, str)]
    return {
        "user": "users",
        "recentOrders": "orders",
        "payment": "payments",
        "product": "products",
        "notifications": "notifications",
    }[words[-1]]


def asked_for(path):
    """The path of the field that was sourced: a list is one answer."""
    return list(path[:-1] if path and isinstance(path[-1], int) else path)


@pytest.fixture
async def eager(folder):
    """Nothing is fresh, so that every question is asked, once; and no breaker opens."""
    async with open_world(
        folder,
        retries=0,
        cache={"fresh_seconds": 0, "stale_seconds": 60},
        breaker={"minimum_calls": 1000, "consecutive": 1000},
    ) as world:
        yield world


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", NAMES)
async def test_cold(eager, name, fault):
    """Its section is null with its error, or its fields are; everything else is live."""
    switches, code, _ = FAULTS[fault]
    eager.break_(name, **switches)
    answer = await eager.ask(QUERY)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {code}
    assert {error["extensions"]["service"] for error in answer["errors"]} == {name}
    shown = list(sourced(answer["data"]))
    assert {freshness["origin"] for _, freshness in shown} == {"LIVE"}
    assert name not in {service_of(path) for path, _ in shown}
    degraded = answer["extensions"]["degraded"]
    assert sorted(entry["path"] for entry in degraded) == sorted(
        error["path"] for error in answer["errors"]
    )
    assert {(entry["service"], entry["served"]) for entry in degraded} == {(name, "NOTHING")}
    if name in SECTIONS:
        assert answer["data"]["dashboard"][SECTIONS[name]] is None
        assert len(answer["errors"]) == 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", NAMES)
async def test_warm(eager, name, fault):
    """The same answer as before, marked at exactly the affected paths; no error."""
    switches, _, reasons = FAULTS[fault]
    before = await eager.ask(QUERY)
    assert "errors" not in before
    eager.break_(name, **switches)
    answer = await eager.ask(QUERY)
    assert "errors" not in answer
    stale = set()
    for path, freshness in sourced(answer["data"]):
        if service_of(path) == name:
            assert freshness["origin"] == "STALE"
            assert freshness["reason"] in reasons
            stale.add(tuple(asked_for(path)))
        else:
            assert freshness == {"origin": "LIVE", "reason": None}
    degraded = answer["extensions"]["degraded"]
    assert {tuple(entry["path"]) for entry in degraded} == stale
    assert len(degraded) == len(stale)
    assert {(entry["service"], entry["served"]) for entry in degraded} == {(name, "STALE")}
    assert all(entry["ageSeconds"] >= 0 for entry in degraded)
    eager.heal()
    await asyncio.sleep(0.35)
    healed = await eager.ask(QUERY)
    assert healed == before


async def test_everything_fails_and_the_answer_still_comes(eager):
    """Cold: three nulls with three errors. Warm: a whole dashboard of old values."""
    for name in NAMES:
        eager.break_(name, hang=True)
    cold = await eager.ask(QUERY)
    assert cold["data"] == {
        "dashboard": {"user": None, "recentOrders": None, "notifications": None}
    }
    assert len(cold["errors"]) == 3
    eager.heal()
    whole = await eager.ask(QUERY)
    for name in NAMES:
        eager.break_(name, hang=True)
    warm = await eager.ask(QUERY)
    assert "errors" not in warm
    assert {freshness["origin"] for _, freshness in sourced(warm["data"])} == {"STALE"}
    assert warm["data"]["dashboard"]["user"]["id"] == whole["data"]["dashboard"]["user"]["id"]


async def test_nobody_is_shown_anothers_old_values(eager):
    """User 1 is warm, user 2 is cold, the services are down."""
    await eager.ask(QUERY, user="1")
    for name in NAMES:
        eager.break_(name, errorRate=1.0, status=503)
    answer = await eager.ask(QUERY, user="2")
    assert answer["data"]["dashboard"] == {
        "user": None,
        "recentOrders": None,
        "notifications": None,
    }


async def test_the_breaker_opens_and_is_said_so_and_closes(folder):
    """Failures; then nothing is sent; after the reset one probe, and all is live again."""
    async with open_world(
        folder,
        retries=0,
        cache={"fresh_seconds": 0, "stale_seconds": 60},
        breaker={"reset_seconds": 0.3},
    ) as world:
        query = "{ me { id freshness { origin reason } } }"
        await world.ask(query)
        world.break_("users", errorRate=1.0, status=500)
        for _ in range(9):  # with the success before, nine in ten
            stale = await world.ask(query)
        assert stale["data"]["me"]["freshness"] == {"origin": "STALE", "reason": "SERVER_ERROR"}
        world.forget()
        opened = await world.ask(query)
        assert opened["data"]["me"]["freshness"] == {"origin": "STALE", "reason": "CIRCUIT_OPEN"}
        assert opened["extensions"]["degraded"][0]["reason"] == "CIRCUIT_OPEN"
        unknown = await world.ask(query, user="2")
        assert unknown["errors"][0]["extensions"] == {
            "code": "CIRCUIT_OPEN",
            "service": "users",
            "retryable": True,
        }
        assert world.calls()["users"] == 0
        bearer = world.bearer("1", scope="bff.operator")
        services = await world.ask("{ services { name breaker } }", Authorization=bearer)
        assert services["data"]["services"][0] == {"name": "users", "breaker": "open"}
        world.heal()
        await asyncio.sleep(0.35)
        healed = await world.ask(query)
        assert healed["data"]["me"]["freshness"] == {"origin": "LIVE", "reason": None}


async def test_a_refused_record_is_not_shown_again(eager):
    """403 purges; when the service then fails, there is nothing to fall back to."""
    query = "{ me { id } }"
    await eager.ask(query)
    eager.break_("users", errorRate=1.0, status=403)
    refused = await eager.ask(query)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "extensions" not in refused
    eager.break_("users", errorRate=1.0, status=503)
    assert (await eager.ask(query))["data"] == {"me": None}


async def test_a_short_deadline_is_kept(eager):
    """The caller wants an answer within 150 ms, and the service hangs."""
    eager.break_("users", hang=True)
    loop = asyncio.get_running_loop()
    started = loop.time()
    answer = await eager.ask("{ me { id } }", **{"X-Request-Timeout-Ms": "150"})
    assert answer["errors"][0]["extensions"]["code"] == "DEADLINE_EXCEEDED"
    assert loop.time() - started < 0.3
