"""What is left out, why, and what is answered instead."""

import asyncio

import pytest
from msgspec.structs import replace

from datasources.errors import ServerFault, Shed
from datasources.events import CallShed, FallbackServed
from datasources.importance import Importance
from datasources.resilience.cache import ByteCache
from datasources.resilience.deadline import time_left
from datasources.resilience.last_good import LastGood
from datasources.resilience.load_shedding import LoadShedding
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from datasources.resilience.usual_times import UsualTimes
from datasources.resilience.writes import Writes
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import HandClock, VirtualClock, run

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


class TestAfterAWrite:
    """The caller has changed something since the answer that is kept."""

    @pytest.mark.parametrize("kept", [("k",), ("k", "l")])
    def test_nobody_is_shown_what_he_has_just_changed(self, protect, service, room, kept):
        """He is answered live; others, and he himself when nothing was written since, as ever."""
        ask = protect().ask
        seen = []

        async def look(principal):
            with within(principal=principal):
                reply = await ask(call("k", "l", importance=OPTIONAL))
            seen.append({(part.value, part.origin) for part in reply.parts.values()})

        async def story():
            for principal in ("u1", "u2"):
                with within(principal=principal):
                    await ask(call(*kept))
            with within(principal="u1"):
                await ask(call(method="POST"))
            room[0] = CRITICAL
            for principal in ("u1", "u2", "u1"):
                await look(principal)

        run(story())
        old = {(f"{key} v1", "STALE") for key in kept}
        assert seen[0] == {("k v4", "LIVE"), ("l v4", "LIVE")}
        assert seen[1] == {(value.replace("1", "2"), origin) for value, origin in old}
        assert seen[2] == {("k v4", "STALE"), ("l v4", "STALE")}
        assert len(service.asked) == 4

    def test_with_nothing_kept_there_is_nothing_to_be_wrong(self, protect, service, room):
        """It is left out, and the answer says so; so it is when what is kept is too old to show."""
        ask = protect(stale=60.0).ask

        async def story():
            with within():
                await ask(call("k"))
                await ask(call(method="POST"))
                room[0] = CRITICAL
                missing = await outcome(ask(call("x", importance=OPTIONAL)))
            await asyncio.sleep(60.0)
            with within():
                return missing, await outcome(ask(call("k", importance=OPTIONAL)))

        assert run(story()) == ("Shed", "Shed")

    def test_what_is_public_is_nobodys_to_change(self, protect, room):
        """It is left out, and the old value shown."""
        ask = protect().ask
        asked = call("k", personal=False, importance=OPTIONAL)

        async def story():
            await parts(ask, asked)
            with within():
                await ask(call(method="POST"))
            room[0] = CRITICAL
            return await parts(ask, asked)

        assert run(story())["k"].origin == "STALE"


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


def test_a_question_that_nothing_can_be_kept_for_is_never_left_out(protect, room):
    """A read without a key: there will never be an old value for it."""
    room[0] = CRITICAL
    asked = replace(call(importance=OPTIONAL), keys=())

    async def story():
        with within():
            return await outcome(protect().ask(asked))

    assert run(story()) == {"it": "it v1"}


@pytest.mark.parametrize("signal", ["pressure", "line", "time"])
def test_what_is_left_out_names_its_service(events, service, signal):
    """As every error of a datasource; it goes into the client's error."""
    policy = LoadShedding(
        LastGood(ByteCache(), Writes(), fresh=0.0, stale=300.0, clock=VirtualClock()),
        least=lambda: CRITICAL if signal == "pressure" else OPTIONAL,
        queued=lambda: 3 if signal == "line" else 0,
        queue=4,
        usual=lambda service, operation: 9.0 if signal == "time" else None,
        admits=lambda has_old: True,
        events=events,
        clock=VirtualClock(),
    )

    async def story():
        with within(), pytest.raises(Shed) as met:
            await policy(call(importance=OPTIONAL), service)
        return met.value.service

    assert run(story()) == "users"


def test_time_for_half_of_the_answers_is_enough(events, service):
    """To the instant: as much is left as an answer usually takes."""
    clock = HandClock()
    policy = LoadShedding(
        LastGood(ByteCache(), Writes(), fresh=0.0, stale=300.0, clock=clock),
        least=lambda: OPTIONAL,
        queued=lambda: 0,
        queue=4,
        usual=lambda service, operation: time_left(clock),
        admits=lambda has_old: True,
        events=events,
        clock=clock,
    )

    async def story():
        with within():
            return await outcome(policy(call(importance=OPTIONAL), service))

    assert run(story()) == {"k": "k v1"}


@pytest.mark.parametrize(("has_old", "said"), [(True, {"k": "k v1"}), (False, "ShedForTime")])
def test_the_breaker_is_asked_for_this_caller(events, service, has_old, said):
    """It may refuse, for a while, those only who have an old value to show."""
    policy = LoadShedding(
        LastGood(ByteCache(), Writes(), fresh=0.0, stale=300.0, clock=VirtualClock()),
        least=lambda: OPTIONAL,
        queued=lambda: 0,
        queue=4,
        usual=lambda service, operation: 9.0,
        admits=lambda has_old: not has_old,
        events=events,
        clock=VirtualClock(),
    )

    async def story():
        with within():
            return await outcome(policy(call(importance=OPTIONAL, has_old=has_old), service))

    assert run(story()) == said


@pytest.mark.parametrize(
    ("waiting", "queue", "left_out"),
    [
        (0, 4, set()),
        (1, 4, {OPTIONAL}),
        (2, 4, {OPTIONAL, IMPORTANT}),
        (2, 5, {OPTIONAL}),
        (3, 5, {OPTIONAL, IMPORTANT}),
    ],
)
def test_calls_that_wait_for_the_service_come_before_less_important_ones(
    protect, service, waiting, queue, left_out
):
    """One in flight, and a line of so many at most; important ones may use half of it."""
    protected = protect(bulkhead_limit=1, bulkhead_queue=queue)
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

    def test_an_open_breaker_is_the_better_reason(self, protect, service, announced):
        """It would have said so at once, so there was time enough; nothing is sent either way."""
        protected = protect(consecutive=3)
        ask = protected.ask

        async def story():
            await self.usually(ask, service)
            service.script = [ServerFault("users", 503)] * 3
            with within():
                await asyncio.gather(*(outcome(ask(call(f"fails{n}"))) for n in range(3)))
            asked = len(service.asked)
            with within(0.5):
                kept = await ask(call("known0", importance=OPTIONAL))
                missing = await outcome(ask(call("x", importance=IMPORTANT)))
            return protected.breaker.state, kept.parts["known0"].reason, missing, asked

        assert run(story()) == ("open", "CIRCUIT_OPEN", "CircuitOpen", len(service.asked))
        assert not any(isinstance(event, CallShed) for event in announced)

    def test_when_the_breaker_lets_somebody_find_out_time_counts_again(self, protect, service):
        """The probe is not for who could not wait for its answer."""
        protected = protect(consecutive=3, reset=10.0)
        ask = protected.ask

        async def story():
            await self.usually(ask, service)
            service.script = [ServerFault("users", 503)] * 3
            with within():
                await asyncio.gather(*(outcome(ask(call(f"fails{n}"))) for n in range(3)))
            await asyncio.sleep(11.5)
            with within(0.5):
                return await outcome(ask(call("x", importance=OPTIONAL)))

        assert run(story()) == "ShedForTime"

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
