"""AdaptiveLimit, alone and in its bulkhead."""

import asyncio

import pytest

from datasources.errors import AttemptTimedOut, CircuitOpen, NotFound, ServerFault
from datasources.resilience.adaptive_limit import FLOOR, AdaptiveLimit, FixedLimit
from datasources.resilience.bulkhead import Bulkhead
from datasources.resilience.pipeline import Reply
from datasources.sourced import Sourced
from tests.unit.resilience.stories import Service, call, outcome, within
from tests.virtual_time import HandClock, VirtualClock, run

BASE = 0.2


class Shop:
    """Works on *room* calls at once, *base* seconds each; the others wait in line."""

    def __init__(self, room, base=BASE):
        self.room = room
        self.base = base
        self.running = 0

    async def __call__(self, asked, /):
        self.running += 1
        try:
            await asyncio.sleep(self.base * max(1.0, self.running / self.room))
        finally:
            self.running -= 1
        return Reply({"k": Sourced("v", "users", VirtualClock().now())})


async def busy(bulkhead, shop, seconds, clients=80):
    """So many clients that ask again as soon as they are answered."""
    end = asyncio.get_running_loop().time() + seconds

    async def client():
        while asyncio.get_running_loop().time() < end:
            with within():
                await outcome(bulkhead(call(), shop))

    await asyncio.gather(*(client() for _ in range(clients)))


async def mean_limit(limit, bulkhead, shop, seconds=20.0):
    """What it is on average while clients are busy."""
    seen = []

    async def watch():
        while True:
            await asyncio.sleep(0.1)
            seen.append(limit.now)

    watching = asyncio.create_task(watch())
    await busy(bulkhead, shop, seconds)
    watching.cancel()
    await asyncio.wait([watching])
    return sum(seen) / len(seen)


def adaptive(most=64):
    clock = VirtualClock()
    limit = AdaptiveLimit(most, clock=clock)
    return limit, Bulkhead(limit=limit, queue=200, patience=5.0, clock=clock)


@pytest.mark.parametrize("room", [8, 16, 32])
def test_it_settles_near_what_the_service_can_take(room):
    """A few more than that, which keeps the service busy; never so many as to double the wait."""

    async def story():
        limit, bulkhead = adaptive()
        shop = Shop(room)
        await busy(bulkhead, shop, 10.0)
        return await mean_limit(limit, bulkhead, shop)

    assert room <= run(story()) <= 1.6 * room


def test_it_never_leaves_its_bounds():
    """A service that can take everything; one that can take one call."""

    async def story(room):
        limit, bulkhead = adaptive()
        await busy(bulkhead, Shop(room), 60.0, clients=20 if room == 1 else 80)
        return limit.now

    assert run(story(1000)) == 64
    assert FLOOR <= run(story(1)) <= 12


def test_it_recovers_when_the_service_becomes_faster():
    """Room for eight, then for forty."""

    async def story():
        limit, bulkhead = adaptive()
        shop = Shop(8)
        await busy(bulkhead, shop, 20.0)
        assert limit.now <= 14
        shop.room = 40
        await busy(bulkhead, shop, 20.0)
        return await mean_limit(limit, bulkhead, shop)

    assert run(story()) >= 36


def test_it_shrinks_when_the_service_becomes_weaker():
    """Room for forty, then for eight: within five seconds."""

    async def story():
        limit, bulkhead = adaptive()
        shop = Shop(40)
        await busy(bulkhead, shop, 20.0)
        assert limit.now >= 36
        shop.room = 8
        await busy(bulkhead, shop, 5.0)
        return limit.now

    assert run(story()) <= 16


def test_slower_for_good_is_the_new_usual():
    """Four times as slow, however few calls there are: after a minute all slots are back."""

    async def story():
        limit, bulkhead = adaptive()
        shop = Shop(1000)
        await busy(bulkhead, shop, 20.0)
        shop.base = 4 * BASE
        await busy(bulkhead, shop, 2.0)
        lowered = limit.now
        await busy(bulkhead, shop, 60.0)
        return lowered, await mean_limit(limit, bulkhead, shop, 60.0)

    lowered, later = run(story())
    assert lowered < 50
    assert later > 56


def test_overloaded_from_the_start():
    """It has never seen the service well, and finds out all the same."""

    async def story():
        limit, bulkhead = adaptive()
        shop = Shop(5)
        await busy(bulkhead, shop, 90.0)
        return await mean_limit(limit, bulkhead, shop, 60.0)

    assert run(story()) <= 10


def answered(limit, clock, seconds, *, times=1, in_flight=64, timed_out=False):
    """So many calls, one every hundredth of a second, and as many in flight as may be."""
    for _ in range(times):
        clock.time += 0.01
        limit.observe(seconds, in_flight=min(in_flight, limit.now), timed_out=timed_out)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def wide(clock):
    """A limit that has grown to its bound."""
    limit = AdaptiveLimit(64, clock=clock)
    answered(limit, clock, BASE, times=1000)
    assert limit.now == 64
    return limit


def test_one_slow_call_does_not_collapse_it(wide, clock):
    """It loses a fifth, and has it back in a second."""
    answered(wide, clock, 3.0)
    answered(wide, clock, BASE, times=30)
    assert wide.now >= 51
    answered(wide, clock, BASE, times=100)
    assert wide.now == 64


def test_idleness_changes_nothing(wide, clock):
    """Neither silence nor a few calls, quick or slow."""
    clock.time += 3600.0
    answered(wide, clock, BASE, times=100, in_flight=3)
    answered(wide, clock, 1.0, times=100, in_flight=3)
    assert wide.now == 64


def test_it_grows_only_in_use(clock):
    """Half of sixteen in flight is not; nine are."""
    limit = AdaptiveLimit(64, clock=clock)
    answered(limit, clock, BASE, times=1000, in_flight=8)
    assert limit.now == 16
    answered(limit, clock, BASE, times=100, in_flight=9)
    assert limit.now > 16


def test_time_outs_shrink_it_also_when_little_is_in_flight(wide, clock):
    """By their share: one in a thousand hardly, all of them at once to a few."""
    answered(wide, clock, BASE, times=100, in_flight=3)
    answered(wide, clock, 3.0, times=1, in_flight=3, timed_out=True)
    answered(wide, clock, BASE, times=999, in_flight=3)
    assert wide.now >= 60
    answered(wide, clock, 3.0, times=500, in_flight=3, timed_out=True)
    assert wide.now <= 6


def test_time_outs_are_not_taken_for_the_usual(wide, clock):
    """After a minute of nothing else, what was usual before still is."""
    answered(wide, clock, 3.0, times=6000, timed_out=True)
    answered(wide, clock, BASE, times=1000)
    answered(wide, clock, 20 * BASE, times=200)
    assert wide.now < 40


def test_a_limit_below_the_floor_is_its_own_floor(clock):
    """One stays one."""
    limit = AdaptiveLimit(1, clock=clock)
    answered(limit, clock, 3.0, times=100, timed_out=True)
    answered(limit, clock, BASE, times=1000)
    assert (limit.now, str(limit)) == (1, "1 to 1")


class Told:
    """A limit that does as it is told, and remembers what it heard."""

    def __init__(self, now):
        self.now = now
        self.heard = []

    def observe(self, seconds, *, in_flight, timed_out=False):
        self.heard.append((round(seconds, 3), in_flight, timed_out))


@pytest.mark.parametrize(
    ("script", "method", "heard"),
    [
        ([0.3], "GET", [(0.3, 1, False)]),
        ([(0.2, NotFound("users"))], "GET", [(0.2, 1, False)]),
        ([(3.0, AttemptTimedOut("users", 3.0))], "GET", [(3.0, 1, True)]),
        ([(0.1, ServerFault("users", 503))], "GET", []),
        ([CircuitOpen("users")], "GET", []),
        ([0.3], "POST", []),
        ([(9.0, AttemptTimedOut("users", 9.0))], "POST", []),
    ],
)
def test_what_the_limit_is_told(script, method, heard):
    """Answers and time-outs of reads; quick failures would look like a quick service."""
    limit = Told(1)

    async def story():
        with within(60.0):
            await outcome(
                Bulkhead(limit=limit, clock=VirtualClock())(call(method=method), Service(script))
            )

    run(story())
    assert limit.heard == heard


def test_the_wait_for_a_slot_is_not_the_service_s_time():
    """Two calls of 300 ms through one slot."""
    limit = Told(1)
    bulkhead = Bulkhead(limit=limit, clock=VirtualClock())
    service = Service([0.3, 0.3])

    async def story():
        with within():
            await asyncio.gather(*(bulkhead(call(), service) for _ in range(2)))

    run(story())
    assert limit.heard == [(0.3, 1, False)] * 2


def test_a_lowered_limit_stops_nobody_and_hands_nothing_on():
    """Four in flight, two wait, the limit falls to two: the next begins when one is left."""
    limit = Told(4)
    bulkhead = Bulkhead(limit=limit, clock=VirtualClock())
    service = Service([0.1, 0.2, 0.3, 0.4, 0.0, 0.0])
    seen = []

    async def story():
        with within():
            tasks = [asyncio.create_task(bulkhead(call(), service)) for _ in range(6)]
            await asyncio.sleep(0.05)
            limit.now = 2
            for _ in range(4):
                await asyncio.sleep(0.1)
                seen.append((bulkhead.in_flight, bulkhead.queued, len(service.asked)))
            await asyncio.gather(*tasks)

    run(story())
    assert seen == [(3, 2, 4), (2, 2, 4), (1, 0, 6), (0, 0, 6)]
    assert (bulkhead.in_flight, bulkhead.queued) == (0, 0)


def test_a_raised_limit_lets_several_in_at_once():
    """One in flight, three wait, the limit rises to four."""
    limit = Told(1)
    bulkhead = Bulkhead(limit=limit, clock=VirtualClock())
    service = Service([0.1, 1.0, 1.0, 1.0])

    async def story():
        with within():
            tasks = [asyncio.create_task(bulkhead(call(), service)) for _ in range(4)]
            await asyncio.sleep(0.05)
            limit.now = 4
            await asyncio.sleep(0.1)
            seen = (bulkhead.in_flight, bulkhead.queued)
            await asyncio.gather(*tasks)
            return seen

    assert run(story()) == (3, 0)


def test_a_number_never_moves():
    """The default."""
    limit = FixedLimit(64)
    limit.observe(60.0, in_flight=64, timed_out=True)
    assert (limit.now, str(limit)) == (64, "64")
