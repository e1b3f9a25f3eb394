"""More than can be done: what matters least goes first, what is critical last."""

import asyncio
import contextlib

import httpx
import pytest

from tests.integration.world import open_world

QUERY = """{ dashboard {
  user { id freshness { origin } }
  recentOrders(limit: 2) { id freshness { origin } payment { id } items { product { id } } }
  notifications { id freshness { origin reason } } } }"""


class Held(httpx.AsyncBaseTransport):
    """Keeps what is asked about the users of a crowd until it may go."""

    def __init__(self, inner, number):
        self.inner = inner
        self.here = asyncio.Barrier(number + 1)
        self.go = asyncio.Event()

    async def handle_async_request(self, request):
        if request.url.path.startswith("/users/9"):
            await self.here.wait()
            await self.go.wait()
        return await self.inner.handle_async_request(request)


@contextlib.asynccontextmanager
async def crowd(world, number):
    """So many operations of others are under way; they end when this does."""
    held = Held(world.wires["users"].inner, number)
    world.wires["users"].inner = held
    others = [
        asyncio.create_task(world.ask("{ me { id } }", user=f"9{place}")) for place in range(number)
    ]
    await held.here.wait()
    world.forget()
    try:
        yield
    finally:
        held.go.set()
        await asyncio.gather(*others)


def missing(answer):
    """Code and path of each error, and what stands in `degraded`."""
    errors = [(e["extensions"]["code"], tuple(e["path"])) for e in answer.get("errors", ())]
    degraded = [
        (e["served"], e["reason"], e["service"], tuple(e["path"]))
        for e in answer.get("extensions", {}).get("degraded", ())
    ]
    return sorted(errors), sorted(degraded)


@pytest.fixture
async def narrow(folder):
    """Eight operations at once; nothing is fresh for long."""
    async with open_world(
        folder,
        limits={"operations": 8},
        cache={"fresh_seconds": 0, "stale_seconds": 60},
        timeout_read_seconds=0.8,
    ) as world:
        yield world


PLACE = ("dashboard", "notifications")


async def test_optional_fields_are_left_out_first(narrow):
    """Half of the places are taken: no notifications, nothing sent for them; the rest is live."""
    async with crowd(narrow, 4):
        answer = await narrow.ask(QUERY)
    dashboard = answer["data"]["dashboard"]
    assert dashboard["user"]["freshness"] == {"origin": "LIVE"}
    assert [order["freshness"] for order in dashboard["recentOrders"]] == [{"origin": "LIVE"}] * 2
    assert all(order["items"][0]["product"] for order in dashboard["recentOrders"])
    assert dashboard["notifications"] is None
    assert missing(answer) == (
        [("OVERLOADED", PLACE)],
        [("NOTHING", "OVERLOADED", "notifications", PLACE)],
    )
    assert answer["errors"][0]["extensions"] == {
        "code": "OVERLOADED",
        "service": "notifications",
        "retryable": True,
    }
    assert narrow.calls()["notifications"] == 0
    assert narrow.calls()["products"] == 1


async def test_what_is_kept_is_shown_instead(narrow):
    """Marked as old, with the reason and without an error; and live again afterwards."""
    before = await narrow.ask(QUERY)
    async with crowd(narrow, 4):
        answer = await narrow.ask(QUERY)
    expected = {"origin": "STALE", "reason": "OVERLOADED"}
    shown = answer["data"]["dashboard"]["notifications"]
    assert [each["freshness"] for each in shown] == [expected] * len(shown)
    assert missing(answer) == ([], [("STALE", "OVERLOADED", "notifications", PLACE)])
    assert narrow.calls()["notifications"] == 0
    assert await narrow.ask(QUERY) == before


async def test_nobody_is_shown_as_new_what_he_has_just_read(narrow):
    """A message was marked as read: it does not come back because there is much to do."""
    query = "{ dashboard { notifications(unread: false) { id read freshness { origin } } } }"
    before = (await narrow.ask(query))["data"]["dashboard"]["notifications"]
    marked = next(each["id"] for each in before if not each["read"])
    await narrow.ask(
        "mutation($id: ID!) { markNotificationRead(id: $id) { __typename } }",
        variables={"id": marked},
    )
    async with crowd(narrow, 6):
        answer = await narrow.ask(query)
    shown = {each["id"]: each for each in answer["data"]["dashboard"]["notifications"]}
    assert shown[marked] == {"id": marked, "read": True, "freshness": {"origin": "LIVE"}}
    assert missing(answer) == ([], [])


async def test_then_important_fields(narrow):
    """Three quarters of the places are taken: only what is critical is asked for."""
    async with crowd(narrow, 6):
        answer = await narrow.ask(QUERY)
    dashboard = answer["data"]["dashboard"]
    assert dashboard["user"]["freshness"] == {"origin": "LIVE"}
    assert len(dashboard["recentOrders"]) == 2
    errors, degraded = missing(answer)
    assert {code for code, _ in errors} == {"OVERLOADED"}
    assert {path[-1] for _, path in errors} == {"notifications", "payment", "product"}
    assert [path for _, path in errors] == [
        path for *_, path in sorted(degraded, key=lambda e: e[3])
    ]
    calls = narrow.calls()
    assert (calls["notifications"], calls["payments"], calls["products"]) == (0, 0, 0)
    assert (calls["users"], calls["orders"]) == (1, 1)


async def test_then_nobody_is_let_in(narrow):
    """All places are taken: a refusal at once, and nothing is sent; afterwards all is well."""
    async with crowd(narrow, 8):
        refused = await narrow.post(QUERY)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["errors"][0]["extensions"] == {
            "code": "OVERLOADED",
            "retryable": True,
        }
        assert not any(narrow.calls().values())
        assert (await narrow.client.get("/healthz")).status_code == 200
    answer = await narrow.ask(QUERY)
    assert missing(answer) == ([], [])


async def test_the_same_field_at_the_root_is_what_was_asked_for(narrow):
    """Notifications by themselves, and a product, are not left out."""
    async with crowd(narrow, 6):
        answer = await narrow.ask(
            '{ notifications { edges { cursor } } product(id: "p-1") { id } }'
        )
    assert missing(answer) == ([], [])
    assert answer["data"]["notifications"] is not None
    assert answer["data"]["product"] == {"id": "p-1"}


async def test_a_batch_of_more_importance_is_another_one(narrow):
    """A product that was asked for comes, though those of the orders do not."""
    async with crowd(narrow, 6):
        answer = await narrow.ask(
            '{ order(id: "o-1-1") { items { product { id } } } product(id: "p-1") { id } }'
        )
    errors, _ = missing(answer)
    lines = answer["data"]["order"]["items"]
    assert answer["data"]["product"] == {"id": "p-1"}
    assert errors == [
        ("OVERLOADED", ("order", "items", number, "product")) for number in range(len(lines))
    ]


class TestShortOfTime:
    """Notifications usually take 0.6 s, and somebody has half a second."""

    async def usual(self, world):
        world.break_("notifications", latencySeconds=0.6)
        query = "{ notifications { edges { cursor } } }"
        await asyncio.gather(*(world.ask(query, user=str(user)) for user in range(2, 7)))
        world.forget()

    async def test_what_would_come_too_late_is_not_asked_for(self, narrow):
        """The user and the orders come; for the notifications there is too little time."""
        await self.usual(narrow)
        answer = await narrow.ask(QUERY, **{"X-Request-Timeout-Ms": "500"})
        assert answer["data"]["dashboard"]["user"]
        assert answer["data"]["dashboard"]["recentOrders"]
        assert missing(answer) == (
            [("DEADLINE_EXCEEDED", PLACE)],
            [("NOTHING", "DEADLINE", "notifications", PLACE)],
        )
        assert narrow.calls()["notifications"] == 0

    async def test_what_is_kept_is_shown_with_the_reason(self, narrow):
        """And with time enough it is live again."""
        await narrow.ask(QUERY)
        await self.usual(narrow)
        answer = await narrow.ask(QUERY, **{"X-Request-Timeout-Ms": "500"})
        assert missing(answer) == ([], [("STALE", "DEADLINE", "notifications", PLACE)])
        assert narrow.calls()["notifications"] == 0
