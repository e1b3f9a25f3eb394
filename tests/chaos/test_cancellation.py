"""Callers who leave: at every step of the event loop, and at any byte of a connection."""

import asyncio
import contextlib
import gc
import json
import random
import socket

import pytest

from examples.upstreams.fleet import NAMES
from examples.upstreams.sockets import Site, listen
from tests.chaos.proxy import Fault, Swallow
from tests.chaos.world import SLOTS, bearer, open_bff, work_under_way

pytestmark = [
    pytest.mark.slow,
    # A task that is cancelled before its first step drops what it was about to await.
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
]

DASHBOARD = """{ dashboard { user { id }
  recentOrders(limit: 1) { id payment { id } items { product { id } } }
  notifications { id } } }"""
ORDER = """mutation($key: String!) { createOrder(input: {
    items: [{productId: "p-1", quantity: 1}], idempotencyKey: $key}) { __typename
  ... on OrderCreated { order { id } } } }"""
MOST_STEPS = 5_000


@pytest.fixture(autouse=True)
def swept_at_the_end():
    """Python remarks on what was dropped when it is swept up, and can do so only in some places."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


async def cancelled(operation, steps):
    """Its result, if it has one after so many steps of the loop; else it is cancelled: None."""
    task = asyncio.create_task(operation)
    for _ in range(steps):
        await asyncio.sleep(0)
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    return None


async def nothing_is_held(street, bff):
    """No work, no request, no connection; and every slot of every service is free."""
    await bff.quiet(street)
    async with asyncio.timeout(5):
        while work_under_way():  # noqa: ASYNC110, tasks that end set no event
            await asyncio.sleep(0.001)
    users = [str(number) for number in range(101, 101 + SLOTS)]
    answers = await asyncio.gather(*(bff.ask(DASHBOARD, user) for user in users))
    for user, answer in zip(users, answers, strict=True):
        assert set(answer) == {"data"}
        assert answer["data"]["dashboard"]["user"]["id"] == user
    await bff.quiet(street)


async def storm(street, bff, ask):
    """Cancel *ask* at every step until it gets through; how many steps that takes."""
    for steps in range(MOST_STEPS):
        if await cancelled(ask(steps), steps) is not None:
            await nothing_is_held(street, bff)
            return steps
        await bff.quiet(street)
        if steps % 20 == 0:
            await nothing_is_held(street, bff)
    raise AssertionError("it never gets through")


@pytest.mark.parametrize("kept", ["nothing", "connections", "everything"])
def test_a_dashboard_cancelled_at_every_step(run, street, kept):
    """On new connections; on kept ones, with nothing cached; with everything cached."""

    async def story():
        async with open_bff(street) as bff:
            if kept != "nothing":
                await bff.ask(DASHBOARD, "1")

            async def ask(steps):
                user = "1" if kept == "everything" else str(2 + steps % 90)
                if kept == "nothing":
                    for name in NAMES:
                        street.proxies[name].drop()
                return await bff.ask(DASHBOARD, user)

            assert await storm(street, bff, ask) > 20

    run(story())


def test_an_order_cancelled_at_every_step(run, street):
    """Under the key of each there is one order afterwards, charged once, for who asks again."""

    async def story():
        async with open_bff(street) as bff:

            def key(steps):
                return f"storm-{steps}"

            async def ask(steps):
                return await bff.ask(ORDER, "1", {"key": key(steps)})

            last = await storm(street, bff, ask)
            assert last > 20
            for steps in range(last + 1):
                answer = await bff.ask(ORDER, "1", {"key": key(steps)})
                assert answer["data"]["createOrder"]["__typename"] == "OrderCreated"
            orders = street.rows("orders", "SELECT id FROM orders WHERE key LIKE 'storm-%'")
            charges = street.rows(
                "payments", "SELECT order_id FROM ledger WHERE order_id LIKE 'o-1-%'"
            )
            assert len(orders) == last + 1
            assert all(charges.count(order) == 1 for order in orders)

    run(story())


MISERY = {
    "users": Fault(swallow=Swallow.REQUESTS),
    "orders": Fault(latency=0.4),
    "products": Fault(refused=True),
    "payments": Fault(slice_bytes=1, slice_pause=0.1),
    "notifications": Fault(swallow=Swallow.ANSWERS),
}


@pytest.mark.parametrize("query", [DASHBOARD, ORDER], ids=["dashboard", "order"])
@pytest.mark.parametrize("kept", [False, True], ids=["cold", "warm"])
def test_leaving_at_any_moment_while_services_fail(run, street, query, kept):
    """Between attempts, in a queue of two, while an old value is renewed, on a dead connection."""

    async def story():
        async with open_bff(street, retries=3, bulkhead={"limit": 2, "queue": 40}) as bff:
            for tenth in range(1, 40, 3):
                users = [str(number) for number in range(130, 136)]
                if kept:
                    await asyncio.gather(*(bff.ask(DASHBOARD, user) for user in users))
                for name, fault in MISERY.items():
                    await street.proxies[name].set(fault)
                asking = [
                    asyncio.create_task(bff.ask(query, user, {"key": f"{kept}-{tenth}"}))
                    for user in users
                ]
                await asyncio.sleep(tenth / 10)
                for task in asking:
                    task.cancel()
                await asyncio.wait(asking)
                await street.heal()
                await bff.quiet(street)
            await asyncio.sleep(6)  # what goes on by itself, to renew what is kept, has its limits
            assert work_under_way() == []
        async with open_bff(street) as bff:
            await nothing_is_held(street, bff)

    run(story())


def request(user, key):
    """The bytes of an operation: a query, or an order under that *key*."""
    query = {"query": ORDER, "variables": {"key": key}} if key else {"query": DASHBOARD}
    body = json.dumps(query).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: bff\r\nAuthorization: {bearer(user)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def visit(port, sent, most):
    """Send *sent*, read up to *most* bytes of an answer, and go without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            await reader.readexactly(most)
    if most % 2:
        lingers_not = b"\1\0\0\0\0\0\0\0"
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingers_not)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def test_clients_that_hang_up_at_any_byte(run, street):
    """In the head, in the body, while they wait, in the answer; with FIN and with RST."""
    chance = random.Random(3)

    async def story():
        async with open_bff(street) as bff, contextlib.AsyncExitStack() as stack:
            listening = stack.enter_context(contextlib.closing(listen("127.0.0.1", 0)))
            site = Site(bff.app, listening)
            await site.open()
            stack.push_async_callback(site.close)
            port = listening.getsockname()[1]
            keys = [f"bytes-{nth}" for nth in range(60)]
            for key in keys:
                order, query = request("7", key), request("8", None)
                await asyncio.gather(
                    visit(port, order[: chance.randint(0, len(order))], 0),
                    visit(port, query[: chance.randint(0, len(query))], 0),
                    visit(port, order, chance.randint(0, 400)),
                    visit(port, query, chance.randint(0, 400)),
                )
            await nothing_is_held(street, bff)
            for key in keys:
                answer = await bff.ask(ORDER, "7", {"key": key})
                order_id = answer["data"]["createOrder"]["order"]["id"]
                charges = street.rows(
                    "payments", "SELECT * FROM ledger WHERE order_id = ?", order_id
                )
                assert len(charges) == 1

    run(story())
