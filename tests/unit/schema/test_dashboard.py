"""One query, four services, two waves."""

from __future__ import annotations

import asyncio

import pytest

from datasources.errors import (
    AttemptTimedOut,
    BadReply,
    BulkheadFull,
    CircuitOpen,
    DeadlineExceeded,
    Forbidden,
    ServerFault,
    Unreachable,
)
from datasources.sourced import Reason
from tests.unit.schema.house import an_order

DASHBOARD = """{ dashboard { user { id name email }
    recentOrders(limit: 5) { id status total { amount currency }
      items { quantity product { id name price { amount currency } } } }
    notifications(unread: true) { id message } } }"""


async def test_four_calls(house):
    """Whatever the number of orders, the dashboard asks each of four services once."""
    answer = await house.answer(DASHBOARD)
    assert (answer.errors, answer.degraded) == ([], [])
    assert house.calls[:3] == [
        ("users", "by_id", "u1"),
        ("orders", "recent", "u1", 5),
        ("notifications", "recent", True, 10),
    ]
    assert house.calls[3:] == [("products", "by_ids", ["p1", "p2", "p3", "p4", "p5"])]


async def test_the_answer_value_by_value(house):
    """Every field holds what the services said, money with all its digits."""
    house.orders = house.orders[:2]
    dashboard = (await house.answer(DASHBOARD)).data["dashboard"]
    assert dashboard["user"] == {"id": "u1", "name": "Ada", "email": "ada@example.org"}
    assert dashboard["notifications"][0] == {"id": "n1", "message": "Message 1"}
    assert dashboard["recentOrders"][0] == {
        "id": "o1",
        "status": "PAID",
        "total": {"amount": "12.30", "currency": "EUR"},
        "items": [
            {
                "quantity": 2,
                "product": {
                    "id": "p1",
                    "name": "Product p1",
                    "price": {"amount": "6.20", "currency": "EUR"},
                },
            }
        ],
    }


@pytest.mark.parametrize("sizes", [(1, 3), (3, 1), (1, 1, 1), (2, 1, 3), (1,)])
async def test_products_of_all_orders_share_a_call(house, sizes):
    """However many lines each order has, and through however many aliases it is reached."""
    house.orders = [an_order(number, *"abc"[:size]) for number, size in enumerate(sizes)]
    answer = await house.answer("""{
        a: dashboard { recentOrders { items { product { id } } } }
        b: dashboard { recentOrders(limit: 1) { id items { quantity product { id } } } }
        orders { edges { node { items { product { id } } } } }
        order(id: "o0") { items { product { name } } } }""")
    assert answer.errors == []
    assert len(house.asked("products")) == 1


async def test_more_products_than_a_call_takes(house):
    """101 products take two calls, of 100 and of 1."""
    names = [f"x{number}" for number in range(101)]
    house.orders = [an_order(1, *names)]
    await house.answer("{ dashboard { recentOrders { items { product { id } } } } }")
    assert [len(ids) for _, ids in house.asked("products")] == [100, 1]


async def test_siblings_run_concurrently(house):
    """Each of three services answers only once all three are asked."""
    barrier = asyncio.Barrier(3)
    house.gates = dict.fromkeys(("users", "orders", "notifications"), barrier)
    assert (await house.answer(DASHBOARD)).errors == []


async def test_payments_one_by_one_and_concurrently(house):
    """One call per order, all at once, and only when asked for."""
    house.gates["payments"] = asyncio.Barrier(5)
    answer = await house.answer("{ dashboard { recentOrders { id payment { status } } } }")
    assert answer.errors == []
    assert house.asked("payments") == [("by_order", f"o{number}") for number in range(1, 6)]


async def test_nothing_is_asked_that_is_not_selected(house):
    """A section that is left out costs nothing."""
    await house.answer("{ dashboard { notifications(unread: false, limit: 3) { id } } }")
    assert house.calls == [("notifications", "recent", False, 3)]


async def test_me_and_the_dashboard_share_the_viewer(house):
    """The same user is asked for once, however often he stands in the document."""
    answer = await house.answer("{ me { id } dashboard { user { name } } again: me { email } }")
    assert answer.data["again"] == {"email": "ada@example.org"}
    assert house.calls == [("users", "by_id", "u1")]


FAILURES = [
    (Unreachable, "UPSTREAM_UNAVAILABLE", "UNREACHABLE"),
    (lambda service: AttemptTimedOut(service, 3.0), "UPSTREAM_TIMEOUT", "TIMEOUT"),
    (lambda service: ServerFault(service, 503), "UPSTREAM_UNAVAILABLE", "SERVER_ERROR"),
    (BadReply, "UPSTREAM_BAD_REPLY", "BAD_REPLY"),
    (CircuitOpen, "CIRCUIT_OPEN", "CIRCUIT_OPEN"),
    (BulkheadFull, "OVERLOADED", "OVERLOADED"),
    (DeadlineExceeded, "DEADLINE_EXCEEDED", "DEADLINE"),
]
SECTIONS = {"users": "user", "orders": "recentOrders", "notifications": "notifications"}


@pytest.mark.parametrize("service", SECTIONS)
@pytest.mark.parametrize(("failure", "code", "reason"), FAILURES)
async def test_a_section_fails_alone(house, service, failure, code, reason):
    """Its field is null, with an error and an entry at its path; the others are whole."""
    house.failing[service] = failure(service)
    answer = await house.answer(DASHBOARD)
    section = SECTIONS[service]
    assert [name for name, value in answer.data["dashboard"].items() if value is None] == [section]
    assert answer.places == {f"dashboard.{section}": code}
    assert answer.degraded == [
        {
            "path": ["dashboard", section],
            "service": service,
            "served": "NOTHING",
            "reason": reason,
            "ageSeconds": None,
        }
    ]


async def test_failing_products_leave_the_orders(house):
    """Each product is null, each with its own error; the orders stay."""
    house.failing["products"] = CircuitOpen("products")
    answer = await house.answer(DASHBOARD)
    assert len(answer.data["dashboard"]["recentOrders"]) == 5
    assert answer.codes == ["CIRCUIT_OPEN"] * 8
    assert answer.degraded[1]["path"] == ["dashboard", "recentOrders", 1, "items", 0, "product"]


async def test_one_failing_product(house):
    """A product that cannot be had harms no other of the same call."""
    house.failing["p2"] = BadReply("products")
    answer = await house.answer(DASHBOARD)
    assert answer.places == {
        "dashboard.recentOrders.1.items.1.product": "UPSTREAM_BAD_REPLY",
        "dashboard.recentOrders.3.items.0.product": "UPSTREAM_BAD_REPLY",
    }


async def test_a_refusal_is_not_degradation(house):
    """A service that says no is well: there is an error, and no entry."""
    house.failing["users"] = Forbidden("users")
    answer = await house.answer(DASHBOARD)
    assert (answer.places, answer.degraded) == ({"dashboard.user": "FORBIDDEN"}, [])


async def test_what_does_not_exist_is_null_without_error(house):
    """An unknown user, product or payment is the truth, not a failure."""
    house.users, house.products, house.payments = {}, {}, {}
    answer = await house.answer(
        "{ me { id } dashboard { user { id } recentOrders(limit: 1) "
        "{ payment { id } items { product { id } } } } }"
    )
    assert answer.errors == []
    assert answer.data == {
        "me": None,
        "dashboard": {
            "user": None,
            "recentOrders": [{"payment": None, "items": [{"product": None}]}],
        },
    }


async def test_old_values_are_marked_where_they_stand(house):
    """Freshness on each object; one entry for each field that was served old, in order."""
    house.stale = {"products": Reason.TIMEOUT, "orders": Reason.CIRCUIT_OPEN}
    answer = await house.answer("""{ dashboard { recentOrders(limit: 2) {
        freshness { origin cached asOf ageSeconds reason }
        items { product { freshness { origin reason } } } }
        user { freshness { origin cached } } } }""")
    orders = answer.data["dashboard"]["recentOrders"]
    assert orders[1]["freshness"] == {
        "origin": "STALE",
        "cached": True,
        "asOf": "2026-03-01T12:00:00Z",
        "ageSeconds": 61.5,
        "reason": "CIRCUIT_OPEN",
    }
    assert orders[0]["items"][0]["product"]["freshness"] == {"origin": "STALE", "reason": "TIMEOUT"}
    assert answer.data["dashboard"]["user"]["freshness"] == {"origin": "LIVE", "cached": False}
    assert [(entry["path"], entry["reason"]) for entry in answer.degraded] == [
        (["dashboard", "recentOrders"], "CIRCUIT_OPEN"),
        (["dashboard", "recentOrders", 0, "items", 0, "product"], "TIMEOUT"),
        (["dashboard", "recentOrders", 1, "items", 0, "product"], "TIMEOUT"),
        (["dashboard", "recentOrders", 1, "items", 1, "product"], "TIMEOUT"),
    ]
    assert answer.degraded[0] == {
        "path": ["dashboard", "recentOrders"],
        "service": "orders",
        "served": "STALE",
        "reason": "CIRCUIT_OPEN",
        "ageSeconds": 61.5,
    }


@pytest.mark.parametrize("bad", ["..", "a/b", "", "x" * 65, "p?1", "p1\n"])
async def test_an_id_that_could_be_a_path(house, bad):
    """A product id that no path may hold is the orders service's fault, and is asked of nobody."""
    house.orders = [an_order(1, bad, "p1")]
    answer = await house.answer("{ dashboard { recentOrders { items { product { id } } } } }")
    items = answer.data["dashboard"]["recentOrders"][0]["items"]
    assert items == [{"product": None}, {"product": {"id": "p1"}}]
    assert answer.places == {"dashboard.recentOrders.0.items.0.product": "UPSTREAM_BAD_REPLY"}
    assert answer.errors[0]["extensions"]["service"] == "orders"
    assert house.asked("products") == [("by_ids", ["p1"])]


async def test_a_cancelled_query_stops_its_calls(house):
    """Whoever goes away takes the questions with him."""
    house.gates["users"] = asyncio.Event()
    running = asyncio.ensure_future(house.answer("{ me { id } }"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert house.calls == [("users", "by_id", "u1")]
    before = asyncio.all_tasks()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for _ in range(5):
        await asyncio.sleep(0)
    assert not [task for task in before if task is not asyncio.current_task() and not task.done()]
