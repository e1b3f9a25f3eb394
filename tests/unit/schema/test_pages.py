"""Walking lists page by page: each thing once, in order, from wherever one resumes."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasources.errors import Rejected, Unreachable
from datasources.ports.orders import OrderPage
from datasources.sourced import Reason
from schema.errors import BadUserInput
from schema.pages.notifications import notifications_after
from schema.pages.orders import orders_after
from tests.unit.schema.house import NOON, House, a_message, an_order

ORDERS = """query($first: Int!, $after: String) { orders(first: $first, after: $after) {
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
MESSAGES = ORDERS.replace("orders(", "notifications(")


def with_orders(number):
    return House(orders=[an_order(index) for index in range(number)])


def with_messages(number, **given):
    return House(messages=[a_message(index, **given) for index in range(number)])


async def orders_page(house, after, first):
    _, window = await orders_after(house.sources.orders, "u1", after, first)
    return window


async def messages_page(house, after, first, *, unread_only=False):
    _, window = await notifications_after(
        house.sources.notifications, "u1", after, first, unread_only=unread_only
    )
    return window


LISTS = [(with_orders, orders_page), (with_messages, messages_page)]


def ids(window):
    return [record.id for record in window.records]


@pytest.mark.parametrize("kind", range(len(LISTS)))
@settings(deadline=None)
@given(number=st.integers(0, 25), sizes=st.lists(st.integers(1, 8), min_size=1, max_size=5))
def test_walking_forward(kind, number, sizes):
    """Whatever the sizes of the pages, each thing comes once, in order, and the end is known."""
    furnish, page = LISTS[kind]

    async def walk():
        house, seen, after, step = furnish(number), [], None, 0
        while True:
            first = sizes[step % len(sizes)]
            window = await page(house, after, first)
            seen += ids(window)
            step += 1
            assert len(window.records) <= first
            assert window.has_next == (len(seen) < number)
            assert window.has_previous == (step > 1)
            if not window.has_next:
                return house, seen, step
            after = window.cursors[-1]

    house, seen, pages = asyncio.run(walk())
    assert seen == [thing.id for thing in house.orders or house.messages]
    assert len(house.calls) == pages


@pytest.mark.parametrize("kind", range(len(LISTS)))
@settings(deadline=None)
@given(number=st.integers(1, 20), size=st.integers(1, 8), again=st.integers(1, 8))
def test_resuming_at_every_edge(kind, number, size, again):
    """Every cursor of every page leads to exactly what follows it."""
    furnish, page = LISTS[kind]

    async def walk():
        house, after = furnish(number), None
        everything = [thing.id for thing in house.orders or house.messages]
        while True:
            window = await page(house, after, size)
            for record, cursor in zip(window.records, window.cursors, strict=True):
                following = everything[everything.index(record.id) + 1 :]
                resumed = await page(house, cursor, again)
                assert ids(resumed) == following[: len(resumed.records)]
                assert len(resumed.records) == min(again, len(following))
                assert resumed.has_next == (len(following) > again)
                if resumed.records:  # a cursor from there is as good as any
                    onward = await page(house, resumed.cursors[0], again)
                    assert ids(onward) == following[1 : 1 + again]
            if not window.has_next:
                return
            after = window.cursors[-1]

    asyncio.run(walk())


@settings(deadline=None)
@given(
    ties=st.lists(st.integers(0, 30), min_size=1, max_size=15),
    size=st.integers(1, 4),
    gone=st.sets(st.integers(0, 14)),
)
def test_messages_that_are_read_meanwhile(ties, size, gone):
    """None that stays is lost; twice comes at most what was sent in the same instant."""

    async def walk():
        times = sorted(ties)
        messages = [
            a_message(number, created_at=NOON - timedelta(minutes=minute))
            for number, minute in enumerate(times)
        ]
        house = House(messages=messages)
        window = await messages_page(house, None, size, unread_only=True)
        seen = ids(window)
        house.messages = [
            msgspec.structs.replace(message, read=True) if number in gone else message
            for number, message in enumerate(messages)
        ]
        while window.has_next:
            window = await messages_page(house, window.cursors[-1], size, unread_only=True)
            seen += ids(window)
        return messages, seen

    messages, seen = asyncio.run(walk())
    stayed = [message for number, message in enumerate(messages) if number not in gone]
    assert {message.id for message in stayed} <= set(seen)
    times = [message.created_at for message in messages]
    twice = {name for name in seen if seen.count(name) > 1}
    assert all(times.count(m.created_at) > 1 for m in messages if m.id in twice)


async def test_a_page_as_clients_see_it(house):
    """Edges with cursors, and where the page lies; an old page marks each node and one field."""
    house.stale["orders"] = Reason.TIMEOUT
    first = await house.answer(ORDERS, {"first": 3})
    connection = first.data["orders"]
    assert [edge["node"]["id"] for edge in connection["edges"]] == ["o1", "o2", "o3"]
    assert connection["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": connection["edges"][0]["cursor"],
        "endCursor": connection["edges"][2]["cursor"],
    }
    assert [entry["path"] for entry in first.degraded] == [["orders"]]
    rest = await house.answer(ORDERS, {"first": 3, "after": connection["pageInfo"]["endCursor"]})
    assert [edge["node"]["id"] for edge in rest.data["orders"]["edges"]] == ["o4", "o5"]
    assert rest.data["orders"]["pageInfo"]["hasPreviousPage"] is True
    assert house.calls == [("orders", "page", 3, ""), ("orders", "page", 3, "from-3")]


async def test_an_empty_list(house):
    """No edges, no cursors, nothing before and nothing after."""
    house.orders, house.messages = [], []
    nothing = {
        "edges": [],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
    }
    assert (await house.answer(ORDERS, {"first": 3})).data == {"orders": nothing}
    assert (await house.answer(MESSAGES, {"first": 3})).data == {"notifications": nothing}


async def test_messages_are_asked_for_with_one_to_spare(house):
    """Which tells whether there is a next page; after a cursor, with all that came before."""
    query = """query($after: String, $unread: Boolean) {
        notifications(first: 2, after: $after, unread: $unread) {
            edges { node { id freshness { origin } } } pageInfo { endCursor } } }"""
    house.stale["notifications"] = Reason.TIMEOUT
    page = (await house.answer(query)).data["notifications"]
    assert page["edges"][0] == {"node": {"id": "n1", "freshness": {"origin": "STALE"}}}
    rest = await house.answer(query, {"after": page["pageInfo"]["endCursor"], "unread": True})
    assert [edge["node"]["id"] for edge in rest.data["notifications"]["edges"]] == ["n3"]
    assert [entry["path"] for entry in rest.degraded] == [["notifications"]]
    assert house.asked("notifications") == [("recent", False, 3), ("recent", True, 5)]
    for unread in (False, None):
        await house.answer(query, {"unread": unread})
        assert house.calls[-1] == ("notifications", "recent", False, 3)


async def test_new_messages_come_in_while_one_walks():
    """They push the rest back; it is found, with one more question when need be."""
    house = with_messages(10)
    window = await messages_page(house, None, 3)
    newer = [a_message(100 + number, created_at=NOON + timedelta(hours=1)) for number in range(5)]
    house.messages = newer + house.messages
    window = await messages_page(house, window.cursors[-1], 3)
    assert (ids(window), window.has_next) == (["n3", "n4", "n5"], True)
    assert [call[3] for call in house.calls] == [4, 7, 14]


@pytest.mark.parametrize(("left", "has_next"), [(3, False), (4, True)])
async def test_the_end_is_known_also_when_new_messages_come_in(left, has_next):
    """A list that is cut off is asked for again, longer, until what follows the page is seen."""
    house = with_messages(3 + left)
    window = await messages_page(house, None, 3)
    newer = [a_message(100 + number, created_at=NOON + timedelta(hours=1)) for number in range(5)]
    house.messages = newer + house.messages
    window = await messages_page(house, window.cursors[-1], 3)
    assert (ids(window), window.has_next) == (["n3", "n4", "n5"], has_next)


async def test_new_orders_come_in_while_one_resumes():
    """The place is found by its order, and not by counting."""
    house = with_orders(6)
    window = await orders_page(house, None, 3)
    house.orders = [an_order(100), *house.orders]
    assert ids(await orders_page(house, window.cursors[0], 2)) == ["o1"]
    assert ids(await orders_page(house, window.cursors[0], 3)) == ["o1", "o2"]


async def test_an_order_that_vanishes_is_counted():
    """Without its order, a place is where that order stood."""
    house = with_orders(6)
    window = await orders_page(house, None, 4)
    del house.orders[1]
    assert ids(await orders_page(house, window.cursors[1], 3)) == ["o2", "o3", "o4"]


async def test_a_page_that_was_wholly_seen_leads_to_the_next():
    """When all that is left of a page has been seen, the page after it is asked for."""

    class Shrunk:
        pages = (
            OrderPage(items=(an_order(0), an_order(1)), next="second"),
            OrderPage(items=(an_order(0),), next="second"),
            OrderPage(items=(an_order(2),), next=None),
        )

        def __init__(self):
            self.asked = []

        async def page(self, user_id, /, *, limit, after):
            self.asked.append((limit, after))
            return House().found("orders", self.pages[len(self.asked) - 1])

    port = Shrunk()
    _, window = await orders_after(port, "u1", None, 2)
    _, window = await orders_after(port, "u1", window.cursors[0], 2)
    assert (ids(window), window.has_next) == (["o2"], False)
    assert port.asked == [(2, ""), (3, ""), (2, "second")]


async def test_empty_pages_without_end():
    """A service that promises more and gives nothing is believed twice, not for ever."""

    class Empty:
        asked = 0

        async def page(self, user_id, /, *, limit, after):
            self.asked += 1
            return House().found("orders", OrderPage(items=(), next=f"more-{self.asked}"))

    port = Empty()
    _, window = await orders_after(port, "u1", None, 2)
    assert (ids(window), window.has_next, port.asked) == ([], False, 2)


async def test_the_longest_page():
    """A place far down a long page is reached with the 200 orders that a service gives at once."""
    house = with_orders(250)
    first = await orders_page(house, None, 100)
    second = await orders_page(house, first.cursors[-2], 100)
    assert (ids(second)[0], ids(second)[-1]) == ("o99", "o198")
    third = await orders_page(house, second.cursors[-2], 100)
    assert ids(third) == ["o198", "o199"]
    assert house.calls[-1] == ("orders", "page", 200, "")
    assert ids(await orders_page(house, third.cursors[-1], 2)) == ["o200", "o201"]


async def test_the_reach_of_messages():
    """1,000 of them can be walked; what lies beyond is refused, and not passed over in silence."""
    house = with_messages(1_001)
    after, seen = None, []
    window = None
    while len(seen) < 1_000:
        window = await messages_page(house, after, 100)
        seen += ids(window)
        after = window.cursors[-1]
    assert (len(seen), window.has_next) == (1_000, True)
    with pytest.raises(BadUserInput, match="newest 1000"):
        await messages_page(house, after, 100)
    assert max(call[3] for call in house.calls) == 1_000
    assert len(house.calls) == 10


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


GOOD_ORDER = ["orders", "", 1, "o1"]
GOOD_MESSAGE = ["notifications", "2026-03-01T12:00:00Z", "n1", 1]


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x",
        "!!!!",
        "ä",
        "\x00",
        encoded(None),
        encoded({}),
        encoded([]),
        encoded(["payments", "", 1, "o1"]),
        encoded([*GOOD_ORDER, "more"]).rstrip("="),
        encoded([*GOOD_MESSAGE, "more"]).rstrip("="),
        encoded(["orders", "", -1, "o1"]).rstrip("="),
        encoded(["orders", "", 10_001, "o1"]).rstrip("="),
        encoded(["orders", "", 10**400, "o1"]).rstrip("="),
        encoded(["orders", 1, 1, "o1"]).rstrip("="),
        encoded(["notifications", "2026-03-01T12:00:00", "n1", 1]).rstrip("="),
        encoded(["notifications", "2026-03-01T12:00:00Z", "n1", 0]).rstrip("="),
        encoded(["notifications", "yesterday", "n1", 1]).rstrip("="),
        encoded(GOOD_ORDER) + "=",
        base64.urlsafe_b64encode(b'["orders", "", 1, "o1"]').decode().rstrip("="),
        base64.urlsafe_b64encode(b"[" * 3_000).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        encoded(["orders", "x" * 5_000, 1, "o1"]).rstrip("="),
    ],
)
@pytest.mark.parametrize("query", [ORDERS, MESSAGES])
async def test_cursors_that_are_not_ours(house, query, bad):
    """BAD_USER_INPUT, and nothing is asked."""
    answer = await house.answer(query, {"first": 3, "after": bad})
    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["message"] == 'Argument "after": a cursor that an earlier answer gave.'
    assert house.calls == []


async def test_a_cursor_is_of_one_list(house):
    """One of orders says nothing of messages; null is the same as none."""
    order, message = encoded(GOOD_ORDER).rstrip("="), encoded(GOOD_MESSAGE).rstrip("=")
    for query, good, bad in ((ORDERS, order, message), (MESSAGES, message, order)):
        assert (await house.answer(query, {"first": 3, "after": good})).errors == []
        assert (await house.answer(query, {"first": 3, "after": None})).errors == []
        assert (await house.answer(query, {"first": 3, "after": bad})).codes == ["BAD_USER_INPUT"]


async def test_a_cursor_that_the_service_refuses(house):
    """It is the client's, made up or out of date; without one it is the service's own fault."""
    house.failing["orders"] = Rejected("orders", 400)
    after = encoded(["orders", "made-up", 0, ""]).rstrip("=")
    answer = await house.answer(ORDERS, {"first": 3, "after": after})
    assert answer.codes == ["BAD_USER_INPUT"]
    assert (await house.answer(ORDERS, {"first": 3})).codes == ["UPSTREAM_BAD_REPLY"]
    house.failing["orders"] = Unreachable("orders")
    answer = await house.answer(ORDERS, {"first": 3, "after": after})
    assert answer.codes == ["UPSTREAM_UNAVAILABLE"]
