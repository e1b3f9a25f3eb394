"""AdaptiveLimit, alone and in its bulkhead."""

import asyncio

import pytest

from datasources.errors import (
    AttemptTimedOut,
    CircuitOpen,
    Forbidden,
    NotFound,
    Rejected,
    ServerFault,
    TryLater,
)
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


def judged(limit, clock, seconds, *, in_flight=None, timeouts=0, wait=0.25):
    """What the limit is after one judgement: on ten calls, at as many in flight as may be."""
    clock.time += wait
    for number in range(10):
        load = limit.now if in_flight is None else in_flight
        limit.observe(seconds, in_flight=load, timed_out=number < timeouts)
    return limit.now


@pytest.fixture
def idle(clock):
    """A limit at its beginning, 16, that knows what is usual: 200 ms."""
    limit = AdaptiveLimit(64, clock=clock)
    assert judged(limit, clock, 0.2, in_flight=3) == 16
    return limit


@pytest.mark.parametrize(
    ("seconds", "in_flight", "timeouts", "moved"),
    [
        (0.2, 16, 0, 18),  # half-way to 16 + 4
        (0.0, 16, 0, 18),  # at once
        (0.21, 16, 0, 18),  # noise
        (0.3, 16, 0, 15),  # half-way to 16 * 0.733 + 4
        (0.44, 16, 0, 14),  # half-way to 8 + 4
        (9.0, 16, 0, 14),  # no steeper
        (9.0, 9, 0, 14),
        (9.0, 8, 0, 16),  # half of it is not in use
        (0.2, 16, 1, 17),  # half-way to 14.4 + 4
        (0.2, 16, 5, 14),  # half-way to 8 + 4
        (0.3, 16, 1, 15),  # the steeper of two: 0.733
        (0.2, 8, 5, 14),  # time-outs always lower it
        (0.2, 8, 1, 16),  # and never raise it
    ],
)
def test_one_judgement(idle, clock, seconds, in_flight, timeouts, moved):
    """One row, one story: the mean latency, the load, how many timed out, the limit then."""
    assert judged(idle, clock, seconds, in_flight=in_flight, timeouts=timeouts) == moved


def test_it_is_judged_on_ten_calls_or_more(clock):
    """However long nine of them took to come."""
    limit = AdaptiveLimit(64, clock=clock)
    clock.time += 0.75
    for _ in range(9):
        limit.observe(0.2, in_flight=16)
    assert limit.now == 16
    limit.observe(0.2, in_flight=16)
    assert limit.now == 18


def test_it_is_judged_every_quarter_of_a_second(clock):
    """However many calls there are; and the next quarter begins with nothing counted."""
    limit = AdaptiveLimit(64, clock=clock)
    clock.time += 0.125
    for _ in range(50):
        limit.observe(0.2, in_flight=16)
    clock.time += 0.125
    limit.observe(9.0, in_flight=3)
    assert limit.now == 18
    assert judged(limit, clock, 0.2, in_flight=3, wait=0.125) == 18
    assert judged(limit, clock, 0.2, in_flight=3, wait=0.125) == 18
    assert judged(limit, clock, 0.2) == 20


@pytest.mark.parametrize(
    ("seconds", "in_flight", "timeouts", "then"),
    [
        (0.4, 3, 0, 17),  # a fifth of the way: 240 ms are usual now
        (0.4, 8, 0, 17),
        (0.4, 3, 1, 15),  # with a time-out nothing is learnt: 200 ms
        (0.1, 3, 0, 15),  # 180 ms
    ],
)
def test_what_is_usual_is_learnt_at_little_load(idle, clock, seconds, in_flight, timeouts, then):
    """A fifth of the way at a time; 300 ms under load show what is taken to be usual."""
    assert judged(idle, clock, seconds, in_flight=in_flight, timeouts=timeouts) == 16
    assert judged(idle, clock, 0.3) == then


@pytest.mark.parametrize(
    ("seconds", "moved", "next_seconds", "then"),
    [
        (0.4, 14, 0.3, 14),  # 200 ms still
        (0.1, 18, 0.22, 19),  # 180 ms
    ],
)
def test_under_load_only_less_is_learnt(idle, clock, seconds, moved, next_seconds, then):
    """A service is never quicker for being busy, but may be slower."""
    assert judged(idle, clock, seconds) == moved
    assert judged(idle, clock, next_seconds) == then


@pytest.fixture
def checking(clock):
    """One second after its beginning, in use all the time: 24, and halved to look."""
    limit = AdaptiveLimit(64, clock=clock)
    assert [judged(limit, clock, 0.2) for _ in range(4)] == [18, 20, 22, 12]
    return limit


def test_what_half_the_load_takes_is_usual_from_then_on(checking, clock):
    """Lower than what was: the limit is as before, then falls; the next look is a second later."""
    assert judged(checking, clock, 0.1) == 24
    assert [judged(checking, clock, 0.2) for _ in range(4)] == [21, 19, 16, 7]


def test_what_is_much_the_same_is_looked_at_again_in_half_a_minute(checking, clock):
    """A tenth less is noise."""
    assert judged(checking, clock, 0.19) == 24
    assert judged(checking, clock, 0.19, wait=29.75) == 27
    assert judged(checking, clock, 0.19) == 14


def test_slower_at_half_the_load_is_slower_for_good(checking, clock):
    """It is believed, and the limit grows on."""
    assert judged(checking, clock, 0.24) == 24
    assert judged(checking, clock, 0.26) == 27


def test_a_look_that_met_a_time_out_shows_nothing(checking, clock):
    """What was usual before is usual still."""
    assert judged(checking, clock, 0.1, timeouts=1) == 24
    assert judged(checking, clock, 0.2) == 27


def test_it_is_not_halved_while_nobody_needs_it(clock):
    """Half of it is not in use."""
    limit = AdaptiveLimit(64, clock=clock)
    assert [judged(limit, clock, 0.2, in_flight=8, wait=1.0) for _ in range(40)] == [16] * 40


def test_what_began_with_the_look_counts(checking, clock):
    """To the instant: it was sent after the limit was halved."""
    assert judged(checking, clock, 0.25) == 24


def test_a_look_waits_until_the_load_has_halved(checking, clock):
    """Calls that began before it say nothing of it; the quarter begins when the last has left."""
    assert judged(checking, clock, 9.0, in_flight=20) == 12
    assert judged(checking, clock, 0.1, in_flight=12, wait=0.125) == 12
    assert judged(checking, clock, 9.0, in_flight=12, wait=0.0625) == 12
    clock.time += 0.0625
    checking.observe(0.05, in_flight=12)
    assert checking.now == 24
    assert judged(checking, clock, 0.2) == 21


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
        ([(0.1, TryLater("users", 429))], "GET", [(0.1, 1, True)]),
        ([(0.1, TryLater("users", 429))], "POST", []),
        ([(0.1, Forbidden("users"))], "GET", []),
        ([(0.1, Rejected("users", 400))], "GET", []),
        ([(3.0, AttemptTimedOut("users", 3.0))], "GET", [(3.0, 1, True)]),
        ([(0.1, ServerFault("users", 503))], "GET", []),
        ([CircuitOpen("users")], "GET", []),
        ([0.3], "POST", []),
        ([(9.0, AttemptTimedOut("users", 9.0))], "POST", []),
    ],
)
def test_what_the_limit_is_told(script, method, heard):
    """Answers of reads, and what was too much; what fails at once looks like a quick service."""
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


def test_a_service_that_puts_off_has_too_much_to_do():
    """It says so at once, which is not to be quick: the limit falls, and is back in a moment."""

    async def story():
        limit, bulkhead = adaptive()
        shop = Shop(32)
        await busy(bulkhead, shop, 10.0)
        before = limit.now

        async def put_off(asked, /):
            await asyncio.sleep(0.005)
            raise TryLater("users", 429)

        await busy(bulkhead, put_off, 3.0)
        meanwhile = limit.now
        await busy(bulkhead, shop, 10.0)
        return before, meanwhile, await mean_limit(limit, bulkhead, shop)

    before, meanwhile, later = run(story())
    assert before >= 32
    assert meanwhile <= 10
    assert later >= 30


def test_the_first_judgement_may_have_to_wait():
    """A service that only puts us off when we begin says nothing of what is usual."""
    clock = HandClock()
    limit = AdaptiveLimit(64, clock=clock)
    assert judged(limit, clock, 0.001, timeouts=10) == 14
    assert judged(limit, clock, 0.2) == 15
    assert judged(limit, clock, 0.2) == 17


def test_a_look_that_comes_to_nothing_ends():
    """Writes hold more than half of the slots: after a second the reads have theirs again."""
    clock = VirtualClock()
    limit = AdaptiveLimit(64, clock=clock)
    bulkhead = Bulkhead(limit=limit, queue=200, clock=clock)
    answered_at = []

    async def serve(asked, /):
        await asyncio.sleep(10.0 if asked.route.method == "POST" else 0.05)
        return Reply({})

    async def ask(until_when, method, pause=0.0):
        loop = asyncio.get_running_loop()
        await asyncio.sleep(pause)
        while loop.time() < until_when:
            with within(15.0):
                met = await outcome(bulkhead(call(method=method), serve))
            if method == "GET" and met == {}:
                answered_at.append(loop.time())

    async def story():
        began = asyncio.get_running_loop().time()
        end = began + 60.0
        readers = [ask(end, "GET") for _ in range(40)]
        writers = [ask(end, "POST", pause=20.0 + 0.05 * number) for number in range(40)]
        await asyncio.gather(*readers, *writers)
        return [
            sum(begin <= at - began < begin + 5.0 for at in answered_at)
            for begin in range(25, 60, 5)
        ]

    assert min(run(story())) >= 1000


@pytest.mark.parametrize(("latency", "within_seconds"), [(0.05, 1.0), (0.2, 1.0), (0.4, 2.0)])
def test_a_look_has_a_second_or_five_times_what_an_answer_takes(clock, latency, within_seconds):
    """Then the limit is what it was, and nobody looks for half a minute."""
    limit = AdaptiveLimit(64, clock=clock)
    assert [judged(limit, clock, latency) for _ in range(4)] == [18, 20, 22, 12]
    clock.time += within_seconds - 0.001
    assert limit.now == 12
    clock.time += 0.001
    assert limit.now == 24
    assert judged(limit, clock, latency, wait=0.0) == 24
    assert judged(limit, clock, latency) == 27
    assert judged(limit, clock, latency, wait=29.0) == 29
    assert judged(limit, clock, latency, wait=1.0) == 16


def test_what_a_look_that_came_to_nothing_has_seen_is_forgotten(checking, clock):
    """Nine calls of a tenth of the time, and then it is over: what is usual is as it was."""
    clock.time += 0.25
    for _ in range(9):
        checking.observe(0.02, in_flight=12)
    clock.time += 0.75
    assert [judged(checking, clock, 0.2, wait=wait) for wait in (0.0, 0.25, 0.25)] == [24, 27, 29]
