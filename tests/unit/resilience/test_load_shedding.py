"""What is left out, why, and what is answered instead."""

import asyncio
from dataclasses import replace

import pytest

from datasources.events import CallShed, FallbackServed
from datasources.importance import Importance
from datasources.resilience.cache import ByteCache
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from datasources.resilience.usual_times import UsualTimes
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import VirtualClock, run

CRITICAL, IMPORTANT, OPTIONAL = Importance.CRITICAL, Importance.IMPORTANT, Importance.OPTIONAL


@pytest.fixture
def room():
    """The least importance that there is room for; tests write to it."""
    return [OPTIONAL]


@pytest.fixture
def protect(service, events, room):
    """The standard pipeline of the service, in a process with so much room."""

    def build(**numbers):
        usual = UsualTimes()
        events.subscribe(usual.record)
        shared = Shared(ByteCache(), events, VirtualClock(), lambda: room[0], usual.of)
        return standard_pipeline("users", service, Numbers(**numbers), shared)

    return build


async def parts(ask, asked, seconds=5.0):
    with within(seconds):
        return (await ask(asked)).parts


@pytest.mark.parametrize(
    ("least", "left_out"),
    [(OPTIONAL, set()), (IMPORTANT, {OPTIONAL}), (CRITICAL, {OPTIONAL, IMPORTANT})],
)
def test_the_least_important_goes_first(protect, service, room, least, left_out):
    """And what is critical never goes."""
    room[0] = least
    ask = protect().ask

    async def story():
        shed = set()
        for importance in Importance:
            with within():
                if await outcome(ask(call(importance.name, importance=importance))) == "Shed":
                    shed.add(importance)
        return shed

    assert run(story()) == left_out
    assert service.asked == [(i.name,) for i in Importance if i not in left_out]


def test_what_is_kept_is_served_and_said_to_be_old(protect, service, room, announced):
    """With its age and the reason; one event for the call, one for the old value."""
    ask = protect().ask

    async def story():
        await parts(ask, call(importance=OPTIONAL))
        await asyncio.sleep(7.0)
        room[0] = CRITICAL
        return await parts(ask, call(importance=OPTIONAL))

    old = run(story())["k"]
    assert (old.value, old.origin, old.reason, old.age) == ("k v1", "STALE", "OVERLOADED", 7.0)
    assert len(service.asked) == 1
    shed, served = [e for e in announced if isinstance(e, CallShed | FallbackServed)]
    assert shed == CallShed(
        service="users", operation="by_id", importance=OPTIONAL, reason="OVERLOADED"
    )
    assert served.reason == "OVERLOADED"


def test_part_of_a_batch_may_be_kept(protect, service, room):
    """The other things of it are what could not be asked for."""
    ask = protect().ask

    async def story():
        await parts(ask, call("a", importance=IMPORTANT))
        room[0] = CRITICAL
        with within():
            return await ask(call("a", "b", importance=IMPORTANT))

    reply = run(story())
    assert set(reply.parts) == {"a"}
    assert (type(reply.failure).__name__, reply.failure.code) == ("Shed", "OVERLOADED")
    assert service.asked == [("a",)]


def test_what_is_fresh_is_no_burden(protect, room):
    """It is served as ever; of a batch, the rest is as important as the whole."""
    ask = protect(fresh=60.0).ask

    async def story():
        await parts(ask, call("a", importance=OPTIONAL))
        room[0] = CRITICAL
        alone = await parts(ask, call("a", importance=OPTIONAL))
        with within():
            return alone["a"].origin, await ask(replace(call("a", "b"), importance=OPTIONAL))

    origin, reply = run(story())
    assert (origin, set(reply.parts), reply.failure.code) == ("CACHE", {"a"}, "OVERLOADED")


@pytest.mark.parametrize(
    "asked", [call(method="POST"), call(method="PUT"), call("it", method="POST")]
)
def test_what_changes_something_is_never_left_out(protect, service, room, asked):
    """Whatever it is said to be worth."""
    room[0] = CRITICAL
    ask = protect().ask

    async def story():
        with within():
            return await outcome(ask(replace(asked, importance=OPTIONAL)))

    assert run(story()) == {"it": "it v1"}


@pytest.mark.parametrize(
    ("waiting", "left_out"),
    [(0, set()), (1, {OPTIONAL}), (2, {OPTIONAL, IMPORTANT})],
)
def test_calls_that_wait_for_the_service_come_before_less_important_ones(
    protect, service, waiting, left_out
):
    """One in flight, a line of at most four."""
    protected = protect(bulkhead_limit=1, bulkhead_queue=4)
    service.script = [0.5] * (1 + waiting)

    async def story():
        with within():
            others = [
                asyncio.create_task(outcome(protected.ask(call(str(number)))))
                for number in range(1 + waiting)
            ]
            await asyncio.sleep(0.1)
            assert protected.bulkhead.queued == waiting
            shed = set()
            for importance in (OPTIONAL, IMPORTANT):
                mine = asyncio.create_task(outcome(protected.ask(call("x", importance=importance))))
                await asyncio.sleep(0.01)
                if mine.done():
                    assert mine.result() == "Shed"
                    shed.add(importance)
                mine.cancel()
                await asyncio.wait([mine])
            await asyncio.gather(*others)
            return shed

    assert run(story()) == left_out


def test_a_service_without_a_line_sheds_nothing_for_it(protect):
    """Nobody waits where nobody can."""
    ask = protect(bulkhead_queue=0).ask

    async def story():
        with within():
            return await outcome(ask(call(importance=OPTIONAL)))

    assert run(story()) == {"k": "k v1"}


class TestShortOfTime:
    """The service usually takes a second."""

    async def usually(self, ask, service, seconds=1.0, times=5):
        service.script = [seconds] * times
        for number in range(times):
            await parts(ask, call(f"known{number}"))

    def test_a_call_that_would_come_too_late_is_not_made(self, protect, service, announced):
        """The client hears that time is short, and at once."""
        ask = protect().ask

        async def story():
            await self.usually(ask, service)
            asked = len(service.asked)
            begun = asyncio.get_running_loop().time()
            heard = []
            for importance in (OPTIONAL, IMPORTANT):
                with within(0.5):
                    heard.append(await outcome(ask(call("x", importance=importance))))
            return heard, len(service.asked) - asked, asyncio.get_running_loop().time() - begun

        assert run(story()) == (["ShedForTime"] * 2, 0, 0.0)
        assert [e.reason for e in announced if isinstance(e, CallShed)] == ["DEADLINE"] * 2

    def test_what_is_kept_is_served(self, protect, service):
        """With the reason."""
        ask = protect().ask

        async def story():
            await self.usually(ask, service)
            return await parts(ask, call("known0", importance=OPTIONAL), 0.5)

        old = run(story())["known0"]
        assert (old.origin, old.reason) == ("STALE", "DEADLINE")

    def test_what_is_critical_is_tried(self, protect, service):
        """Perhaps it is quicker this time."""
        ask = protect().ask

        async def story():
            await self.usually(ask, service)
            with within(0.5):
                return await outcome(ask(call("x")))

        assert run(story()) == {"x": "x v6"}

    def test_with_time_enough_all_are_asked(self, protect, service):
        """More than it usually takes."""
        ask = protect().ask

        async def story():
            await self.usually(ask, service)
            with within(1.1):
                return await outcome(ask(call("x", importance=OPTIONAL)))

        assert run(story()) == {"x": "x v6"}

    def test_four_answers_make_no_custom(self, protect, service):
        """Nothing is left out for what is not known."""
        ask = protect().ask

        async def story():
            await self.usually(ask, service, times=4)
            with within(0.5):
                return await outcome(ask(call("x", importance=OPTIONAL)))

        assert run(story()) == {"x": "x v5"}

    def test_once_a_second_one_is_asked_all_the_same(self, protect, service):
        """So that it is noticed when the service has become quick; then all are asked again."""
        ask = protect().ask

        async def story():
            await self.usually(ask, service, times=15)
            heard = []
            for number in range(100):
                with within(0.5):
                    heard.append(await outcome(ask(call(f"n{number}", importance=OPTIONAL))))
                await asyncio.sleep(0.25)
            return heard

        heard = run(story())
        answered = [number for number, said in enumerate(heard) if said != "ShedForTime"]
        assert answered[:8] == [4, 8, 12, 16, 20, 24, 28, 32]
        assert answered[8:] == list(range(33, 100))
