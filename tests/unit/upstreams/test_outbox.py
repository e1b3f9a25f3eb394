"""From an order to the message about it."""

import asyncio

import httpx
import pytest

from examples.upstreams.background import Worker
from examples.upstreams.bus import Bus, Event, Relay
from examples.upstreams.faults import FaultPlan
from examples.upstreams.fleet import InProcessTransport
from tests.unit.upstreams.shop import open_shop
from tests.virtual_time import run


class Outbox:
    def __init__(self, *ids):
        self.waiting = [Event(each, "happened", {}) for each in ids]

    def unpublished(self):
        return list(self.waiting)

    def mark_published(self, event_id):
        self.waiting = [event for event in self.waiting if event.id != event_id]


async def test_an_event_that_fails_waits_and_holds_up_nobody():
    """The others are struck off; it is published again next time."""
    outbox, bus, heard = Outbox("a", "b", "c"), Bus(), []

    async def subscriber(event):
        heard.append(event.id)
        if event.id == "b" and heard.count("b") == 1:
            raise OSError

    bus.subscribe("happened", subscriber)
    bus.subscribe("something else", subscriber)
    relay = Relay(outbox, bus)
    assert not await relay.work()
    assert [event.id for event in outbox.waiting] == ["b"]
    assert await relay.work()
    assert heard == ["a", "b", "c", "b"]


async def test_an_event_is_struck_off_when_everybody_has_it():
    """One subscriber of two fails: both hear it again."""
    outbox, bus, heard = Outbox("a"), Bus(), []

    async def good(_event):
        heard.append("good")

    async def bad(_event):
        heard.append("bad")
        if len(heard) == 2:
            raise OSError

    bus.subscribe("happened", good)
    bus.subscribe("happened", bad)
    relay = Relay(outbox, bus)
    assert [await relay.work(), await relay.work(), await relay.work()] == [False, True, True]
    assert heard == ["good", "bad", "good", "bad"]


def test_a_worker_waits_longer_each_time_it_fails():
    """0.2 s, doubling, at most 5; woken it works at once; once well it waits to be woken."""

    async def story():
        loop = asyncio.get_running_loop()
        times, start = [], loop.time()
        failing = True

        async def work():
            times.append(round(loop.time() - start, 3))
            if len(times) == 2:
                raise OSError
            return not failing

        worker = Worker("worker", work)
        async with worker.running():
            await asyncio.sleep(14)
            assert times == [0, 0.2, 0.6, 1.4, 3.0, 6.2, 11.2]
            failing = False
            worker.wake()
            await asyncio.sleep(100)
            assert times[7:] == [14]
            worker.wake()
            await asyncio.sleep(100)
            assert times[8:] == [114]

    run(story())


def test_a_notification_that_fails_never_fails_the_order(folder):
    """However long it takes: the order is PAID at once, and the message comes once."""

    async def story():
        async with open_shop(folder) as shop:
            for plan in (
                FaultPlan(error_rate=1),
                FaultPlan(hang=True),
                FaultPlan(garbage=True),
                FaultPlan(reset=True),
            ):
                shop.fleet.faults("notifications").plan = plan
                answer = await shop.order(repr(plan).replace(" ", ""), {"p-1": 1})
                assert (answer.status_code, answer.json()["status"]) == (201, "PAID")
                await asyncio.sleep(60)
                shop.fleet.faults("notifications").heal()
                await asyncio.sleep(10)
                notice = f"Your order {answer.json()['id']} has been placed"
                assert (await shop.messages()).count(notice) == 1

    run(story())


def test_each_of_many_orders_gets_its_one_message(folder):
    """Half of the attempts fail; those that succeeded are not made again."""

    async def story():
        async with open_shop(folder) as shop:
            shop.fleet.faults("notifications").plan = FaultPlan(error_rate=0.5)
            placed = [(await shop.order(f"k{nth}", {"p-1": 1})).json()["id"] for nth in range(20)]
            await asyncio.sleep(120)
            shop.fleet.faults("notifications").heal()
            await asyncio.sleep(10)
            messages = await shop.messages()
            assert shop.asked("notifications").count("POST /notifications") > 20
            for order_id in placed:
                assert messages.count(f"Your order {order_id} has been placed") == 1

    run(story())


class Later(httpx.AsyncBaseTransport):
    """A way that is known by the time somebody takes it."""

    def __init__(self, way):
        self._way = way

    async def handle_async_request(self, request):
        return await self._way().handle_async_request(request)


class LostAnswer(httpx.AsyncBaseTransport):
    """The service does what it is asked, and the first answer never arrives."""

    def __init__(self, way):
        self._way = way
        self._asked = 0

    async def handle_async_request(self, request):
        answer = await self._way().handle_async_request(request)
        self._asked += 1
        if self._asked == 1:
            raise httpx.ReadError("lost", request=request)
        return answer


@pytest.mark.parametrize("service", ["notifications", "payments"])
def test_what_was_done_is_not_done_again_when_its_answer_was_lost(folder, service):
    """It is asked for again, under the same key: one message, one charge."""

    async def story():
        opened = {}

        def peer(name):
            def way():
                return InProcessTransport(opened["shop"].fleet.apps[name])

            return LostAnswer(way) if name == service else Later(way)

        async with open_shop(folder, peer=peer) as shop:
            opened["shop"] = shop
            order_id = (await shop.order("k", {"p-1": 1})).json()["id"]
            await asyncio.sleep(10)
            assert len(shop.asked(service)) == 2
            order = (await shop.ask("orders", f"/orders/{order_id}")).json()
            assert order["status"] == "PAID"
            messages = await shop.messages()
            assert messages.count(f"Your order {order_id} has been placed") == 1

    run(story())


async def test_closing_abandons_the_work_before_it_closes_the_files(folder, caplog):
    """An order whose message is on its way: nothing fails, and nothing is logged."""
    async with open_shop(folder) as shop:
        assert (await shop.order("k", {"p-1": 1})).status_code == 201
    assert caplog.records == []


def test_messages_that_were_due_are_sent_after_a_restart(folder):
    """The event waits in the file of the orders service."""

    async def story():
        async with open_shop(folder) as shop:
            shop.fleet.faults("notifications").plan = FaultPlan(error_rate=1)
            order_id = (await shop.order("k", {"p-1": 1})).json()["id"]
        async with open_shop(folder) as shop:
            await asyncio.sleep(1)
            assert f"Your order {order_id} has been placed" in await shop.messages()

    run(story())
