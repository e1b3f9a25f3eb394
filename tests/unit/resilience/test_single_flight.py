"""SingleFlight."""

import asyncio
import gc
import weakref

import pytest
from msgspec.structs import replace

from datasources.errors import DeadlineExceeded, ServerFault
from datasources.resilience.deadline import time_left
from datasources.resilience.pipeline import Reply
from datasources.resilience.single_flight import SingleFlight
from datasources.resilience.writes import Writes
from datasources.sourced import Reason, Sourced
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import EPOCH, VirtualClock, run


@pytest.fixture
def writes():
    return Writes()


@pytest.fixture
def flights(writes):
    return SingleFlight(budget=5.0, writes=writes, clock=VirtualClock())


def ask(flights, service, *, seconds=5.0, principal="u1", asked=None):
    async def operation():
        with within(seconds, principal):
            return await outcome(flights(asked or call(), service))

    return asyncio.create_task(operation())


def test_a_thousand_callers_one_question(flights, service):
    """All get the same answer."""
    service.script = [0.1]

    async def story():
        return await asyncio.gather(*(ask(flights, service) for _ in range(1000)))

    assert run(story()) == [{"k": "k v1"}] * 1000
    assert (len(service.asked), flights.in_flight) == (1, 0)


def test_they_share_a_failure_too(flights, service):
    """And the next caller asks anew."""
    service.script = [(0.1, ServerFault("users", 503))]

    async def story():
        met = await asyncio.gather(*(ask(flights, service) for _ in range(3)))
        return met, await ask(flights, service)

    assert run(story()) == (["ServerFault"] * 3, {"k": "k v1"})


def test_principals_never_share_what_is_personal(flights, service):
    """Two users with the same question are two questions; a public one is one."""
    service.script = [0.1, 0.1, 0.1]

    async def story():
        mine = ask(flights, service, principal="u1")
        yours = ask(flights, service, principal="u2")
        shared = [
            ask(flights, service, principal=user, asked=call("p", personal=False))
            for user in ("u1", "u2")
        ]
        return await asyncio.gather(mine, yours, *shared)

    mine, yours, *shared = run(story())
    assert mine != yours
    assert shared[0] == shared[1]
    assert len(service.asked) == 3


def test_one_callers_departure_harms_nobody(flights, service):
    """He who asked first leaves; the others get their answer."""
    service.script = [1.0]

    async def story():
        first, second = ask(flights, service), ask(flights, service)
        await asyncio.sleep(0.5)
        first.cancel()
        return await second

    assert run(story()) == {"k": "k v1"}


def test_the_last_one_to_leave_cancels_the_question(flights, service):
    """Down to whoever sends it."""
    service.script = [1.0]

    async def story():
        tasks = [ask(flights, service) for _ in range(3)]
        await asyncio.sleep(0.5)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await asyncio.sleep(0)
        assert (service.running, flights.in_flight) == (0, 0)
        return await ask(flights, service)

    assert run(story()) == {"k": "k v1"}


def test_each_waits_until_his_own_deadline(flights, service):
    """The impatient one gives up; the question goes on for the other, until its own deadline."""
    service.script = [9.0]

    async def story():
        loop = asyncio.get_running_loop()
        hurried = ask(flights, service, seconds=1.0)
        patient = ask(flights, service, seconds=4.0)
        assert await hurried == "DeadlineExceeded"
        first = loop.time()
        assert service.running == 1
        assert await patient == "DeadlineExceeded"
        await asyncio.sleep(0)
        assert service.running == 0
        return round(first - 1000, 3), round(loop.time() - 1000, 3)

    assert run(story()) == (0.98, 3.98)


def test_the_question_has_a_deadline_of_its_own(flights, service):
    """Five seconds, whatever the first caller had."""

    async def story():
        await ask(flights, service, seconds=1.0)
        await ask(flights, service, seconds=60.0)

    run(story())
    assert [scope.deadline - 1000 for scope in service.scopes] == [5.0, 5.0]


def test_nothing_is_asked_when_no_time_is_left(flights, service):
    """Not even begun."""

    async def story():
        return await ask(flights, service, seconds=0.02)

    assert run(story()) == "DeadlineExceeded"
    assert service.asked == []


def test_whoever_has_an_old_value_leaves_early_and_the_question_goes_on(flights, service):
    """After his patience; with what the question has met so far."""
    trouble = ServerFault("users", 503)

    async def send(asked):
        asked.on_trouble(trouble)
        return await service(asked)

    service.script = [1.0, 1.0]

    async def story():
        with within():
            with pytest.raises(Exception, match="still asking") as raised:
                await flights(replace(call(), patience=0.15), service)
            assert raised.value.reason is Reason.REVALIDATING
            assert flights.in_flight == 1
            await asyncio.sleep(1.0)
            assert (flights.in_flight, service.version) == (0, 1)
            with pytest.raises(Exception, match="still asking") as raised:
                await flights(replace(call(), patience=0.15), send)
            assert raised.value.reason is Reason.SERVER_ERROR
            await asyncio.sleep(1.0)

    run(story())
    assert service.version == 2


def test_impatience_is_the_callers_and_not_the_questions(flights, service):
    """It is asked for all who may join, and any policy further in may rely on that."""
    seen = []

    async def send(asked):
        seen.append(asked.patience)
        return await service(asked)

    async def story():
        with within():
            await flights(replace(call(), patience=0.15), send)

    run(story())
    assert seen == [None]


def test_what_goes_on_for_one_goes_on_when_another_gives_up(flights, service):
    """One has an old value, and it is to be renewed; the other had none, and not the time."""
    service.script = [3.0]

    async def story():
        patient = ask(flights, service, asked=replace(call(), patience=0.15))
        assert await patient == "Unsettled"
        assert await ask(flights, service, seconds=1.0) == "DeadlineExceeded"
        await asyncio.sleep(3.0)
        return service.version

    assert run(story()) == 1


def test_of_those_who_have_left_nothing_stays(flights, service):
    """A hundred get an answer, or lose patience with it: no timer, no future of theirs."""

    def left_over():
        gc.collect()
        found = [it for it in gc.get_objects() if type(it) in {asyncio.TimerHandle, asyncio.Future}]
        return sum(not it.cancelled() for it in found)

    async def come_and_go(seconds):
        service.script = [seconds]
        asked = replace(call(), patience=0.15)
        await asyncio.gather(*(ask(flights, service, asked=asked) for _ in range(100)))
        return left_over()

    async def story():
        before = left_over()
        answered = await come_and_go(0.1) - before
        still_asked = await come_and_go(3.0) - before
        await flights.aclose()
        return answered < 10, still_asked < 10

    assert run(story()) == (True, True)


def test_of_an_answer_nothing_stays(flights):
    """Keeping it is the cache's business, which has bounds."""

    class Value:
        pass

    values = []

    async def send(asked):
        value = Value()
        values.append(weakref.ref(value))
        return Reply({"k": Sourced(value, "users", EPOCH)})

    async def story():
        for number in range(3):
            await ask(flights, send, asked=call(str(number)))
        await asyncio.sleep(0.1)
        gc.collect()
        return [value() for value in values]

    assert run(story()) == [None, None, None]


def test_whoever_is_cancelled_while_patient_does_not_keep_it_going(flights, service):
    """A client who hangs up within the moment's wait ends the question."""
    service.script = [1.0]

    async def story():
        task = ask(flights, service, asked=replace(call(), patience=0.15))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        return service.running, flights.in_flight

    assert run(story()) == (0, 0)


def test_who_has_written_does_not_join_an_older_question(flights, service, writes):
    """He asks anew; others may still join the old one."""
    service.script = [1.0, 0.5]

    async def story():
        before = ask(flights, service)
        await asyncio.sleep(0.1)
        writes.note("u1")
        after = ask(flights, service)
        return await asyncio.gather(before, after)

    assert run(story()) == [{"k": "k v2"}, {"k": "k v1"}]
    assert len(service.asked) == 2


def test_who_joins_late_is_not_bound_to_another_questions_end(flights, service):
    """It began 4.9 s earlier and ends without an answer; he has time, and asks anew."""
    service.script = [(4.98, DeadlineExceeded("users")), 0.1]

    async def story():
        early = ask(flights, service, seconds=60.0)
        await asyncio.sleep(4.9)
        late = ask(flights, service)
        return await early, await late

    assert run(story()) == ("DeadlineExceeded", {"k": "k v1"})


def test_all_who_join_late_share_the_next_question_too(flights, service):
    """A hundred of them, and the service is asked twice, not a hundred and one times."""

    async def hang(asked):
        await service(asked)
        await asyncio.sleep(time_left(VirtualClock()))
        raise DeadlineExceeded("users")

    async def operation():
        with within(5.0):
            return await outcome(flights(call(), hang))

    async def story():
        first = asyncio.create_task(operation())
        await asyncio.sleep(4.0)
        late = [asyncio.create_task(operation()) for _ in range(100)]
        assert await first == "DeadlineExceeded"
        return set(await asyncio.gather(*late))

    assert run(story()) == {"DeadlineExceeded"}
    assert len(service.asked) == 2


def test_a_cancelled_question_is_not_joined(flights, service):
    """Its last caller leaves, and the next one comes in the same moment."""
    service.script = [1.0]

    async def story():
        first = ask(flights, service)
        await asyncio.sleep(0.1)
        first.cancel()
        await asyncio.sleep(0)
        return await ask(flights, service)

    assert run(story()) == {"k": "k v1"}


def test_a_question_that_was_replaced_leaves_its_successor_alone(flights, service, writes):
    """The older one lands first, and the newer one can still be joined."""
    service.script = [0.2, 1.0]

    async def story():
        old = ask(flights, service)
        await asyncio.sleep(0.1)
        writes.note("u1")
        new = ask(flights, service)
        await old
        assert await ask(flights, service) == await new

    run(story())
    assert len(service.asked) == 2


def test_batches_that_begin_alike_are_not_the_same(flights, service):
    """Nor are two operations with the same key."""
    service.script = [0.1] * 4
    other = replace(call("a"), route=replace(call().route, operation="by_name"))

    async def story():
        await asyncio.gather(
            *(
                ask(flights, service, asked=asked)
                for asked in (call("a", "b"), call("a", "c"), call("a"), other)
            )
        )

    run(story())
    assert len(service.asked) == 4


def test_a_failure_that_nobody_waits_for_is_silent(flights, service):
    """Asyncio would complain of an exception that was never looked at."""
    complaints = []
    service.script = [(1.0, ServerFault("users", 503))]

    async def story():
        asyncio.get_running_loop().set_exception_handler(lambda *it: complaints.append(it))
        await ask(flights, service, asked=replace(call(), patience=0.1))
        await asyncio.sleep(1.0)

    run(story())
    gc.collect()
    assert complaints == []


def test_writes_are_not_shared(flights, service):
    """A call without keys passes straight through."""

    async def story():
        return await asyncio.gather(
            *(ask(flights, service, asked=call(method="POST")) for _ in range(2))
        )

    run(story())
    assert len(service.asked) == 2


def test_closing_cancels_what_is_under_way(flights, service):
    """Whoever still waits is told that there is no time."""
    service.script = [9.0]

    async def story():
        waiting = ask(flights, service)
        await asyncio.sleep(0.1)
        await flights.aclose()
        await flights.aclose()
        return await waiting, flights.in_flight

    assert run(story()) == ("DeadlineExceeded", 0)


def test_who_is_told_that_there_is_no_time_is_told_of_which_service(flights, service):
    """When the question was cancelled, and when it is not even begun."""
    service.script = [9.0]

    async def waiting():
        with within(), pytest.raises(DeadlineExceeded) as met:
            await flights(call(), service)
        return met.value.service

    async def story():
        early = asyncio.create_task(waiting())
        await asyncio.sleep(0.1)
        await flights.aclose()
        return await early, await waiting()

    assert run(story()) == ("users", "users")


def test_closing_reaches_also_what_was_replaced(flights, service, writes):
    """And nothing is asked afterwards."""
    service.script = [9.0, 9.0]

    async def story():
        old = ask(flights, service)
        await asyncio.sleep(0.1)
        writes.note("u1")
        new = ask(flights, service)
        await asyncio.sleep(0.1)
        assert flights.in_flight == 2
        await flights.aclose()
        assert service.running == 0
        late = await ask(flights, service)
        return await old, await new, late, flights.in_flight

    assert run(story()) == ("DeadlineExceeded", "DeadlineExceeded", "DeadlineExceeded", 0)
    assert len(service.asked) == 2
