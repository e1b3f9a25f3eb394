"""Bulkhead."""

import asyncio
import random

import pytest

from datasources.errors import BulkheadFull
from datasources.resilience.bulkhead import Bulkhead
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import VirtualClock, run


@pytest.fixture
def bulkhead():
    return Bulkhead(limit=2, queue=3, clock=VirtualClock())


def test_two_run_three_wait_the_sixth_is_refused(bulkhead, service):
    """The first two are sent, three follow as slots come free, the rest fail at once."""
    service.script = [0.1] * 6

    async def story():
        with within():
            answers = await asyncio.gather(*(outcome(bulkhead(call(), service)) for _ in range(6)))
        assert (bulkhead.in_flight, bulkhead.queued) == (0, 0)
        return answers

    answers = run(story())
    assert (answers.count("BulkheadFull"), len(service.asked)) == (1, 5)


def test_never_more_than_the_limit_run(bulkhead, service):
    """Not even while slots are handed over."""
    service.script = [0.1] * 5
    most = 0

    async def watched(asked):
        nonlocal most
        task = asyncio.create_task(service(asked))
        await asyncio.sleep(0)
        most = max(most, service.running)
        return await task

    async def story():
        with within():
            await asyncio.gather(*(bulkhead(call(), watched) for _ in range(5)))

    run(story())
    assert most == 2


def test_nobody_waits_longer_than_a_second(bulkhead, service):
    """Less when the deadline is nearer."""
    service.script = [9.0, 9.0]

    async def wait(seconds):
        loop = asyncio.get_running_loop()
        started = loop.time()
        with within(seconds):
            met = await outcome(bulkhead(call(), service))
        return met, round(loop.time() - started, 3)

    async def story():
        with within(20.0):
            busy = [asyncio.create_task(bulkhead(call(), service)) for _ in range(2)]
            await asyncio.sleep(0)
            assert await wait(10.0) == ("BulkheadFull", 1.0)
            assert await wait(0.5) == ("BulkheadFull", 0.48)
            assert await wait(0.01) == ("BulkheadFull", 0.0)
            await asyncio.gather(*busy)

    run(story())


def test_who_is_refused_is_told_by_which_service(service):
    """At once, since nobody may wait; and after waiting in vain."""

    async def refused(bulkhead):
        service.script = [9.0]
        with within(20.0):
            holder = asyncio.create_task(bulkhead(call(), service))
            await asyncio.sleep(0)
            with pytest.raises(BulkheadFull) as met:
                await bulkhead(call(), service)
            holder.cancel()
            await asyncio.wait([holder])
        return met.value.service

    async def story():
        clock = VirtualClock()
        return [await refused(Bulkhead(limit=1, queue=line, clock=clock)) for line in (0, 1)]

    assert run(story()) == ["users", "users"]


def test_the_longest_waiter_is_next(bulkhead, service):
    """First come, first served; a newcomer does not overtake."""
    order = []

    async def ask(name, seconds=0.1):
        async def send(asked):
            order.append(name)
            await asyncio.sleep(seconds)
            return await service(asked)

        await bulkhead(call(), send)

    async def story():
        with within():
            first = [asyncio.create_task(ask(name)) for name in "abcd"]
            await asyncio.sleep(0.1)
            await asyncio.gather(ask("e"), *first)

    run(story())
    assert order == list("abcde")


def test_cancellations_at_any_moment_leak_no_slot(service):
    """A thousand calls cancelled at random moments; afterwards all slots are free."""
    chance = random.Random(5)
    bulkhead = Bulkhead(limit=3, queue=5, clock=VirtualClock())

    async def story():
        with within(3600.0):
            for _ in range(1000):
                service.script = [chance.choice([0.01, 0.02, 0.03]) for _ in range(8)]
                tasks = [asyncio.create_task(bulkhead(call(), service)) for _ in range(8)]
                await asyncio.sleep(chance.choice([0.0, 0.005, 0.01, 0.02]))
                for task in chance.sample(tasks, 4):
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                assert (bulkhead.in_flight, bulkhead.queued) == (0, 0)

    run(story())


def test_a_waiter_that_is_thrown_away_leaves_the_queue(service):
    """Closed, not cancelled, as a coroutine is that nobody awaits any more."""
    bulkhead = Bulkhead(limit=1, queue=2, clock=VirtualClock())
    service.script = [0.1]

    async def story():
        with within():
            holder = asyncio.create_task(bulkhead(call(), service))
            await asyncio.sleep(0)
            thrown = bulkhead(call(), service)
            thrown.send(None)
            thrown.close()
            await holder

    run(story())
    assert (bulkhead.in_flight, bulkhead.queued) == (0, 0)


def test_a_slot_handed_to_somebody_who_leaves_goes_to_the_next(service):
    """Cancelled in the very tick in which the slot came free."""
    bulkhead = Bulkhead(limit=1, queue=2, clock=VirtualClock())

    async def story():
        with within():
            gate = asyncio.Event()

            async def hold(asked):
                await gate.wait()
                return await service(asked)

            holder = asyncio.create_task(bulkhead(call(), hold))
            await asyncio.sleep(0)
            leaver = asyncio.create_task(bulkhead(call(), service))
            stayer = asyncio.create_task(bulkhead(call(), service))
            await asyncio.sleep(0)
            gate.set()
            await holder
            leaver.cancel()
            await asyncio.wait([leaver])
            return await outcome(stayer)

    assert run(story()) == {"k": "k v2"}
    assert (bulkhead.in_flight, bulkhead.queued) == (0, 0)


class Raised:
    """A limit that is set by hand."""

    def __init__(self, now):
        self.now = now

    def observe(self, seconds, *, in_flight, timed_out=False):
        """Nothing follows from it."""


def test_a_limit_that_rises_while_nobody_leaves(service):
    """Whoever comes next brings the waiters in, and does not overtake them."""
    limit = Raised(1)
    bulkhead = Bulkhead(limit=limit, clock=VirtualClock())
    service.script = [9.0, 9.0, 9.0]

    async def story():
        with within(20.0):
            tasks = [asyncio.create_task(bulkhead(call(key), service)) for key in ("a", "b")]
            await asyncio.sleep(0.1)
            limit.now = 2
            tasks.append(asyncio.create_task(bulkhead(call("c"), service)))
            await asyncio.sleep(0.1)
            seen = (list(service.asked), bulkhead.in_flight, bulkhead.queued)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        return seen

    assert run(story()) == ([("a",), ("b",)], 2, 1)
    assert (bulkhead.in_flight, bulkhead.queued) == (0, 0)


def test_a_limit_that_has_risen_when_patience_ends(service):
    """The one who waited is not refused beside a free slot."""
    limit = Raised(1)
    bulkhead = Bulkhead(limit=limit, clock=VirtualClock())
    service.script = [9.0]

    async def story():
        with within(20.0):
            first = asyncio.create_task(bulkhead(call("a"), service))
            second = asyncio.create_task(outcome(bulkhead(call("b"), service)))
            await asyncio.sleep(0.5)
            limit.now = 2
            return await second, (await first).parts.keys()

    assert run(story()) == ({"b": "b v1"}, {"a"})
    assert (bulkhead.in_flight, bulkhead.queued) == (0, 0)


def test_there_is_room_while_a_slot_is_free_and_nobody_waits(service):
    """A limit may have risen above what waits: that slot is theirs."""
    limit = Raised(1)
    bulkhead = Bulkhead(limit=limit, clock=VirtualClock())
    service.script = [9.0, 0.0]
    seen = [bulkhead.has_room]

    async def story():
        with within(20.0):
            tasks = [asyncio.create_task(bulkhead(call(key), service)) for key in ("a", "b")]
            await asyncio.sleep(0.1)
            seen.append(bulkhead.has_room)
            limit.now = 9
            seen.append(bulkhead.has_room)
            await asyncio.wait(tasks)
            seen.append(bulkhead.has_room)

    run(story())
    assert seen == [True, False, False, True]
