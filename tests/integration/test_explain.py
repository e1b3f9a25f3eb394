"""`Bff-Explain` over the five services: what would be asked, and what was."""

from __future__ import annotations

import asyncio

import httpx

from tests.integration.world import DASHBOARD, open_world

OLD = {"cache": {"fresh_seconds": 0, "stale_seconds": 300}}
USERS_AND_ORDERS = "{ dashboard { user { id } recentOrders(limit: 2) { id } } }"


async def explained(world, mode, query=DASHBOARD, user="1", **headers):
    """The answer and its explanation."""
    bearer = world.bearer(user, scope="bff.operator")
    answer = await world.ask(query, Authorization=bearer, **{"Bff-Explain": mode}, **headers)
    return answer, answer["extensions"]["explain"]


def rows(told):
    return {f"{question['service']}.{question['operation']}": question for question in told}


def kept(plan):
    return {
        f"{call['service']}.{call['operation']}": tuple(call["kept"].values())
        for wave in plan["waves"]
        for call in wave["calls"]
    }


async def test_four_calls_with_truthful_numbers(world):
    """Each was really sent, in its order, and lasted as long as the service took."""
    world.break_("orders", latencySeconds=0.08)
    answer, told = await explained(world, "analyze")
    assert answer["data"] == (await world.ask())["data"]
    calls = rows(told["calls"])
    assert set(calls) == {
        "users.by_id",
        "orders.recent",
        "notifications.recent",
        "products.by_ids",
    }
    assert len(told["calls"]) == told["totals"]["calls"] == 4
    assert {(call["attempt"], call["outcome"]) for call in told["calls"]} == {(1, "ok")}
    orders, products = calls["orders.recent"], calls["products.by_ids"]
    assert 80 <= orders["durationMs"] <= told["durationMs"]
    ended = orders["startMs"] + orders["durationMs"]
    assert products["startMs"] >= ended
    assert all(calls[name]["startMs"] < ended for name in ("users.by_id", "notifications.recent"))
    assert {question["cache"] for question in told["questions"]} == {"LIVE"}
    assert [question["keys"] for question in told["questions"]][:3] == [1, 1, 1]


async def test_the_bytes_are_those_of_the_services(world):
    """Compared with what the services send when they are asked again."""
    _, told = await explained(world, "analyze")
    for name, call in {call["service"]: call for call in told["calls"]}.items():
        wire = world.wires[name]
        response = await wire.inner.handle_async_request(wire.requests[0])
        assert call["bytes"] == len(await response.aread())
    assert told["totals"]["bytes"] == sum(call["bytes"] for call in told["calls"])


async def test_an_encoded_body_is_not_read_and_has_no_size(world):
    """None arrived that anybody has looked at."""

    class Encoding(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            headers = {"content-type": "application/json", "content-encoding": "gzip"}
            return httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"x" * 500))

    world.wires["users"].inner = Encoding()
    _, told = await explained(world, "analyze", "{ me { id } }")
    assert [(call["outcome"], call["bytes"]) for call in told["calls"]] == [
        ("UPSTREAM_BAD_REPLY", None)
    ]
    assert told["totals"]["bytes"] == 0


async def test_what_was_not_sent_is_no_call(world):
    """No time was left to place the order, so nothing was, and nothing is in doubt."""
    world.forget()
    query = """mutation { createOrder(input: {items: [{productId: "p-1", quantity: 1}]})
        @deadline(ms: 10) { __typename } }"""
    answer, told = await explained(world, "analyze", query)
    [error] = answer["errors"]
    assert (answer["data"], error["extensions"]) == (
        None,
        {"code": "DEADLINE_EXCEEDED", "service": "orders", "retryable": True},
    )
    assert (told["calls"], told["totals"]["calls"], world.sent("orders")) == ([], 0, [])


async def test_what_is_fresh_is_no_call(world):
    """Products were asked for a moment ago."""
    world_before = await world.ask()
    answer, told = await explained(world, "analyze")
    assert answer["data"] == world_before["data"]
    products = rows(told["questions"])["products.by_ids"]
    assert (products["cache"], products["calls"]) == ("CACHE", 0)
    assert products["served"]["CACHE"] == products["keys"]
    assert {call["service"] for call in told["calls"]} == {"users", "orders", "notifications"}


async def test_repeats_and_old_values(world):
    """Every attempt is told, and why the old value stands there."""
    await world.ask()
    world.break_("orders", errorRate=1)
    answer, told = await explained(world, "analyze")
    attempts = [call for call in told["calls"] if call["service"] == "orders"]
    assert len(attempts) == len(world.sent("orders")) - 1
    assert {call["outcome"] for call in attempts} == {"UPSTREAM_UNAVAILABLE"}
    assert [call["attempt"] for call in attempts] == list(range(1, len(attempts) + 1))
    orders = rows(told["questions"])["orders.recent"]
    assert (orders["cache"], orders["reason"]) == ("STALE", "SERVER_ERROR")
    [old] = answer["extensions"]["degraded"]
    assert orders["ageSeconds"] == old["ageSeconds"]


async def test_a_failure_with_nothing_kept(world):
    """By the code that the client sees."""
    world.break_("users", hang=True)
    answer, told = await explained(world, "analyze", "{ me { id } }")
    [question], [error] = told["questions"], answer["errors"]
    assert question["outcome"] == error["extensions"]["code"]
    assert question["cache"] == "NONE"
    assert told["calls"][0]["outcome"] == "UPSTREAM_TIMEOUT"


async def test_what_goes_on_after_the_answer_is_under_way(world):
    """The renewal of an old value is not waited for."""
    await world.ask("{ me { id } }")
    world.break_("users", hang=True)
    _, told = await explained(world, "analyze", "{ me { id } }")
    [call] = told["calls"]
    assert (call["outcome"], call["durationMs"]) == ("UNDER_WAY", None)
    assert told["questions"][0]["reason"] == "REVALIDATING"


async def test_two_callers_at_once_do_not_see_each_others_calls(world):
    """Also not when one of them joins what the other has asked."""
    world.break_("users", latencySeconds=0.1)
    mine, twin, other = await asyncio.gather(
        explained(world, "analyze", "{ me { id } }", user="1"),
        explained(world, "analyze", "{ me { id } }", user="1"),
        explained(world, "analyze", USERS_AND_ORDERS, user="2"),
    )
    assert world.calls()["users"] == 2
    assert [[call["service"] for call in told["calls"]] for _, told in (mine, twin)] == [
        ["users"],
        [],
    ]
    assert [told["questions"][0]["cache"] for _, told in (mine, twin)] == ["LIVE", "JOINED"]
    assert sorted(call["service"] for call in other[1]["calls"]) == ["orders", "users"]


async def test_no_id_and_no_path_is_told(world):
    """Only how often who was asked."""
    answer, told = await explained(world, "analyze")
    order = answer["data"]["dashboard"]["recentOrders"][0]
    names = [order["id"], order["items"][0]["product"]["id"], "@", "/"]
    assert [name for name in names if name in str(told)] == []


async def test_a_mutation_is_analyzed(world):
    """It was sent, once."""
    query = 'mutation { markNotificationRead(id: "nobody") { __typename } }'
    answer, told = await explained(world, "analyze", query)
    assert answer["data"]["markNotificationRead"]["__typename"] == "NotificationNotFound"
    [call] = told["calls"]
    assert (call["operation"], call["outcome"]) == ("mark_read", "NOT_FOUND")


async def test_a_plan_sends_nothing(world):
    """Neither cold nor warm, nor with everything broken; and no answer is in it."""
    for _ in range(2):
        for query in (DASHBOARD, 'mutation { markNotificationRead(id: "a") { __typename } }'):
            world.forget()
            answer, _ = await explained(world, "plan", query)
            assert answer["data"] is None
            assert "errors" not in answer
            await asyncio.sleep(0.05)
            assert set(world.calls().values()) == {0}
        await world.ask()
        for name in ("users", "orders"):
            world.break_(name, errorRate=1)


async def test_a_plan_of_what_was_never_asked(world):
    """All absent, and nothing measured: no time is predicted."""
    _, plan = await explained(world, "plan")
    assert plan["calls"] == 4
    assert plan["predicted"] is None
    assert kept(plan) == {
        "users.by_id": (0, 0, 1, 0),
        "orders.recent": (0, 0, 1, 0),
        "notifications.recent": (0, 0, 1, 0),
        "products.by_ids": (0, 0, 0, None),
    }


async def test_a_plan_is_the_same_whatever_an_error_would_do(world):
    """What a rehearsal does not find ends nothing: the user is absent, the products are known."""
    await world.ask("{ dashboard { recentOrders(limit: 5) { items { product { id } } } } }")
    _, usual = await explained(world, "plan")
    bearer = world.bearer("1", scope="bff.operator")
    for on_error in ("HALT", "NULL"):
        response = await world.client.post(
            "/graphql",
            json={"query": DASHBOARD, "onError": on_error},
            headers={"Authorization": bearer, "Bff-Explain": "plan"},
        )
        assert response.json()["extensions"]["explain"] == usual


async def test_a_plan_of_what_was_asked_before(world):
    """Old values show what the second wave will ask for; the time is what the calls took."""
    _, analysis = await explained(world, "analyze")
    products = rows(analysis["questions"])["products.by_ids"]["keys"]
    _, plan = await explained(world, "plan")
    assert kept(plan) == {
        "users.by_id": (0, 1, 0, 0),
        "orders.recent": (0, 1, 0, 0),
        "notifications.recent": (0, 1, 0, 0),
        "products.by_ids": (products, 0, 0, 0),
    }
    measured = {call["service"]: call["durationMs"] for call in analysis["calls"]}
    slowest = max(measured[name] for name in ("users", "orders", "notifications"))
    assert abs(plan["waves"][0]["predicted"]["medianMs"] / min(150, slowest) - 1) < 0.2
    assert plan["waves"][1]["predicted"] == {"medianMs": 0, "p95Ms": 0}


async def test_a_plan_changes_nothing(folder):
    """Planning over and over, an outage later is as it would have been."""
    async with open_world(folder, **OLD) as world:
        await world.ask(USERS_AND_ORDERS)
        for _ in range(30):
            await explained(world, "plan", USERS_AND_ORDERS)
        services = "{ services { name breaker servingStale lastSuccess } }"
        bearer = world.bearer("1", scope="bff.operator")
        before = await world.ask(services, Authorization=bearer)
        await explained(world, "plan", USERS_AND_ORDERS)
        assert await world.ask(services, Authorization=bearer) == before
        world.forget()
        _, told = await explained(world, "analyze", USERS_AND_ORDERS)
        assert {question["cache"] for question in told["questions"]} == {"LIVE"}
        assert sum(world.calls().values()) == 2


async def test_a_plan_knows_the_breaker(world):
    """What it refuses is not asked, and takes no time."""
    world.break_("users", errorRate=1)
    for _ in range(12):
        await world.ask("{ me { id } }")
    _, plan = await explained(world, "plan", "{ me { id } }")
    [call] = plan["waves"][0]["calls"]
    assert (call["breaker"], call["outlook"]) == ("open", "REFUSED")
    assert call["predicted"] == {"medianMs": 0, "p95Ms": 0}


async def test_a_plan_knows_the_bulkhead(world):
    """Those that are under way now."""
    world.break_("payments", latencySeconds=0.2)
    query = "{ dashboard { recentOrders(limit: 3) { payment { id } } } }"
    asking = asyncio.create_task(world.ask(query))
    while not world.calls()["payments"]:  # noqa: ASYNC110 - a wire has no event for it
        await asyncio.sleep(0.005)
    _, plan = await explained(world, "plan", query)
    await asking
    assert plan["waves"][1]["calls"][0]["bulkhead"] == {"inFlight": 3, "waiting": 0}


async def test_a_page_that_is_too_large_has_no_plan(world):
    """As it would have no answer."""
    bearer = world.bearer("1", scope="bff.operator")
    query = "{ dashboard { recentOrders(limit: 101) { id } } }"
    answer = await world.ask(query, Authorization=bearer, **{"Bff-Explain": "plan"})
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "data" not in answer


async def test_only_operators_may_ask(world):
    """Everybody else is told, and nobody is asked for them."""
    for user in ("1", None):
        response = await world.post(DASHBOARD, user, **{"Bff-Explain": "plan"})
        assert response.status_code == 403
        assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert set(world.calls().values()) == {0}


async def test_the_browser_is_told_how_long_each_service_took(world):
    """In the header that its network panel shows."""
    bearer = world.bearer("1", scope="bff.operator")
    response = await world.post(DASHBOARD, Authorization=bearer, **{"Bff-Explain": "analyze"})
    names = [entry.split(";")[0] for entry in response.headers["server-timing"].split(", ")]
    assert names[0] == "total"
    assert set(names[1:]) == {"users", "orders", "notifications", "products"}
    assert response.headers["cache-control"] == "no-store"
