"""Placing an order, killed between any two steps.

A kill is an exception that nobody catches, and whoever goes on afterwards has nothing but the
files. Payments is the real till with its real ledger.
"""

import asyncio
import contextlib

import pytest

from examples.upstreams.bus import Bus, Relay
from examples.upstreams.order_book import OrderBook, open_order_file
from examples.upstreams.payments import Charge, Till, open_payments
from examples.upstreams.peers import PeerUnavailable
from examples.upstreams.placing import Offer, Placing, Wish
from examples.upstreams.service import Problem
from examples.upstreams.values import money, utc_now

WISH = Wish("1", {"p-1": 2}, "card", "the-key")


class Killed(BaseException):
    """As by `kill -9`."""


class Neighbourhood:
    """Users and products that are well, and the real till; each step may be told to fail."""

    def __init__(self, till):
        self._till = till
        self.before_charge = None
        self.after_charge = None
        self.cents = 1000
        self.attempts = 0

    async def knows_user(self, user_id):
        await asyncio.sleep(0)
        return True

    async def offers(self, product_ids):
        return {product_id: Offer(self.cents, 5) for product_id in product_ids}

    async def charge(self, order):
        self.attempts += 1
        await asyncio.sleep(0)
        if self.before_charge:
            raise self.before_charge
        key = f"charge-{order.id}"
        wanted = Charge(order.id, money(order.cents), order.method, order.user_id)
        try:
            self._till.charge(wanted, order.user_id, "orders", key)
        except Problem:
            return False
        finally:
            if self.after_charge:
                raise self.after_charge
        return True


class Life:
    """The orders service from one start to the next end."""

    def __init__(self, orders, payments):
        self.ledger = payments
        self.neighbours = Neighbourhood(Till(payments, utc_now))
        self.book = OrderBook(orders, utc_now)
        self.woken = []
        self.placing = Placing(
            self.book,
            self.neighbours,
            on_placed=lambda: self.woken.append("relay"),
            on_queued=lambda: self.woken.append("charges"),
        )

    def charges(self, order_id):
        return len(self.ledger.all("SELECT * FROM ledger WHERE order_id = ?", order_id))

    def orders(self):
        return [order for order in self.book.newest("1", 1000) if order.fingerprint]

    async def published(self):
        bus, published = Bus(), []

        async def remember(event):
            published.append(event)

        bus.subscribe("order.created", remember)
        assert await Relay(self.book, bus).work()
        return [event.data["orderId"] for event in published]


@pytest.fixture
def life(folder):
    @contextlib.contextmanager
    def begin():
        with (
            contextlib.closing(open_order_file(folder / "orders.sqlite3")) as orders,
            contextlib.closing(open_payments(folder / "payments.sqlite3")) as payments,
        ):
            yield Life(orders, payments)

    return begin


async def only_order(now):
    """There is one, it is PAID, charged once, and announced once."""
    (order,) = now.orders()
    assert (order.status, now.charges(order.id)) == ("PAID", 1)
    assert await now.published() == [order.id]
    assert await now.published() == []
    return order


KILLS = [
    pytest.param({"before_charge": Killed()}, id="after the reservation"),
    pytest.param({"after_charge": Killed()}, id="after the charge"),
]


@pytest.mark.parametrize("kill", KILLS)
async def test_asking_again_finishes_what_was_begun(life, kill):
    """The same key gets the order: charged once, at the price it was reserved at."""
    with life() as first:
        vars(first.neighbours).update(kill)
        with pytest.raises(Killed):
            await first.placing.place(WISH)
        assert first.orders() == []
    with life() as second:
        second.neighbours.cents = 9999
        status, order = await second.placing.place(WISH)
        assert (status, order.cents) == (201, 2000)
        assert order == await only_order(second)
        assert await second.placing.place(WISH) == (200, order)


@pytest.mark.parametrize("kill", KILLS)
async def test_a_restart_finishes_it_when_nobody_asks(life, kill):
    """The work that is due at the start charges it; asking then gets it as placed before."""
    with life() as first:
        vars(first.neighbours).update(kill)
        with pytest.raises(Killed):
            await first.placing.place(WISH)
    with life() as second:
        assert await second.placing.work()
        order = await only_order(second)
        assert await second.placing.place(WISH) == (200, order)


@pytest.mark.parametrize("kill", KILLS)
async def test_another_wish_under_the_key_is_refused_even_then(life, kill):
    """What was reserved is what the key means."""
    with life() as first:
        vars(first.neighbours).update(kill)
        with pytest.raises(Killed):
            await first.placing.place(WISH)
    with life() as second:
        with pytest.raises(Problem) as refused:
            await second.placing.place(Wish("1", {"p-2": 1}, "card", "the-key"))
        assert refused.value.code == "IDEMPOTENCY_CONFLICT"


async def test_killed_before_the_answer(life):
    """The outcome is stored: asking again, and the event, find it after the restart."""
    with life() as first:
        _, order = await first.placing.place(WISH)
    with life() as second:
        assert await second.placing.place(WISH) == (200, order)
        assert order == await only_order(second)


async def test_killed_between_publishing_and_striking_off(life):
    """The event is published again, under the same id."""
    heard = []

    async def hear_and_die(event):
        heard.append(event)
        raise Killed

    async def hear(event):
        heard.append(event)

    for subscriber in (hear_and_die, hear, hear):
        with life() as now:
            await now.placing.place(WISH)
            bus = Bus()
            bus.subscribe("order.created", subscriber)
            with contextlib.suppress(Killed):
                await Relay(now.book, bus).work()
    assert len(heard) == 2
    assert heard[0] == heard[1]


@pytest.mark.parametrize("doubt", ["before_charge", "after_charge"])
async def test_a_charge_in_doubt_is_asked_for_again_never_made_again(life, doubt):
    """202 as long as payments does not say; then the one charge that there was, or now is."""
    with life() as now:
        setattr(now.neighbours, doubt, PeerUnavailable("timed out"))
        status, order = await now.placing.place(WISH)
        assert (status, order.status) == (202, "PENDING")
        assert now.woken == ["relay", "charges"]
        assert not await now.placing.work()
        assert now.orders() == [order]
        assert now.charges(order.id) == (doubt == "after_charge")
    with life() as later:
        status, order = await later.placing.place(WISH)
        assert (status, order.status) == (201, "PAID")
        assert order == await only_order(later)


async def test_a_queued_charge_that_is_declined_cancels_the_order(life):
    """The customer knows of the order, so it stays, CANCELLED; the key says declined."""
    wish = Wish("1", {"p-1": 1}, "declined-card", "the-key")
    with life() as now:
        now.neighbours.before_charge = PeerUnavailable("down")
        await now.placing.place(wish)
    with life() as later:
        assert await later.placing.work()
        assert [order.status for order in later.orders()] == ["CANCELLED"]
        with pytest.raises(Problem) as refused:
            await later.placing.place(wish)
        assert refused.value.code == "PAYMENT_DECLINED"


async def test_two_at_once_are_one(life):
    """The same key twice, concurrently, and the work behind: one order, one charge, one event."""
    with life() as now:
        both = await asyncio.gather(
            now.placing.place(WISH), now.placing.place(WISH), now.placing.work()
        )
        assert both[0][1].id == both[1][1].id
        await only_order(now)


async def test_nobody_is_refused_while_an_earlier_attempt_may_still_succeed(life):
    """Asked again while the first attempt waits for prices, and meanwhile the product is gone."""
    with life() as now:
        priced, offers = asyncio.Event(), now.neighbours.offers

        async def slow(product_ids):
            found = await offers(product_ids)
            await priced.wait()
            return found

        async def gone(product_ids):
            return {}

        now.neighbours.offers = slow
        first = asyncio.create_task(now.placing.place(WISH))
        await asyncio.sleep(0.01)
        now.neighbours.offers = gone
        again = asyncio.create_task(now.placing.place(WISH))
        await asyncio.sleep(0.01)
        priced.set()
        assert (await first)[1] == (await again)[1] == await only_order(now)


async def test_what_is_in_hand_is_left_alone(life):
    """The work behind does not charge what a request is just charging."""
    with life() as now:
        placing = asyncio.create_task(now.placing.place(WISH))
        while not now.neighbours.attempts:  # noqa: ASYNC110, one step of the loop, not a wait
            await asyncio.sleep(0)
        assert [order.charge for order in now.book.due()] == ["DUE"]
        assert await now.placing.work()
        assert (await placing)[0] == 201
        assert now.neighbours.attempts == 1


async def test_what_is_settled_stays(life):
    """An attempt that ends late, with another outcome, changes nothing."""
    with life() as now:
        _, order = await now.placing.place(WISH)
        for late in (now.book.queued, now.book.declined, now.book.paid):
            assert late(order) == order
        await only_order(now)


async def test_a_caller_who_goes_leaves_the_charge_to_the_background(life):
    """Cancelled while payments thinks: somebody is woken to find out."""
    with life() as now:
        now.neighbours.before_charge = asyncio.CancelledError()
        with pytest.raises(asyncio.CancelledError):
            await now.placing.place(WISH)
        assert now.woken == ["charges"]
        now.neighbours.before_charge = None
        assert await now.placing.work()
        await only_order(now)
