"""Bounds and names to the letter: what only a changed program showed to be untested."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import fields, replace

from datasources.errors import BulkheadFull, DeadlineExceeded, NotFound, ServerFault
from datasources.resilience.attempt_timeout import AttemptTimeout
from datasources.resilience.breaker import Breaker
from datasources.resilience.cache import ByteCache, Entry
from datasources.resilience.deadline import time_left
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import IDEMPOTENT_METHODS, SAFE_METHODS, Call, Reply, Route
from datasources.resilience.single_flight import SingleFlight, Unsettled
from datasources.resilience.window import RollingWindow
from datasources.resilience.writes import Writes
from datasources.scope import Scope, entered
from datasources.sourced import Reason, Sourced
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import EPOCH, HandClock, VirtualClock, run


def entry(size):
    return Entry(b"x" * size, EPOCH, 0.0, 0.0, 0.0, 0)


def key(name):
    return ("users", "by_id", "u1", name)


def test_a_value_of_the_greatest_size_is_kept():
    """And one byte more is not."""
    cache = ByteCache(max_item_bytes=100)
    cache.put(key("a"), entry(100))
    assert cache.get(key("a")) == entry(100)
    cache.put(key("b"), entry(101))
    assert cache.get(key("b")) is None


def test_a_cache_may_be_full_to_the_last_byte():
    """One byte more, and the oldest goes."""
    size = 600 + len("usersby_idu1a")
    cache = ByteCache(max_bytes=2 * size)
    cache.put(key("a"), entry(0))
    cache.put(key("b"), entry(0))
    assert (len(cache), cache.bytes) == (2, 2 * size)
    cache.put(key("b"), entry(1))
    assert (len(cache), cache.bytes) == (1, size + 1)


def test_an_old_value_is_worth_nothing_from_the_end_of_its_time():
    """At a minute to the instant: neither served nor thought to be enough."""
    clock = HandClock()
    last_good = LastGood(ByteCache(), Writes(), fresh=5.0, stale=60.0, clock=clock)
    with entered(Scope(deadline=0.0, request_id="r", principal="u1")):
        last_good.keep(call(), {"k": Sourced("k!", "users", EPOCH)})
        clock.time += 59.75
        assert last_good.covers(call())
        assert last_good.stale(call(), Reason.TIMEOUT)
        clock.time += 0.25
        assert not last_good.covers(call())
        assert last_good.stale(call(), Reason.TIMEOUT) == {}


def test_the_writer_of_longest_ago_is_forgotten_first():
    """One who wrote again is remembered; whom it forgot, it takes for the last one forgotten."""
    writes = Writes()
    for number in range(65_536):
        writes.note(f"u{number}")
    writes.note("u0")
    writes.note("new")
    assert (writes.last("u0"), writes.last("new"), writes.now()) == (65_537, 65_538, 65_538)
    assert writes.last("u1") == writes.last("nobody") == 2
    assert writes.last("u2") == 3


def test_nobody_has_written_yet():
    """What is asked at the very beginning is not superseded."""
    writes = Writes()
    assert writes.now() == writes.last("u1") == 0


def test_an_attempt_that_had_its_whole_time_is_evidence():
    """Also when the deadline is at that very instant."""

    async def hang(asked):
        await asyncio.Event().wait()

    async def story():
        with within(3.0 + 0.02):
            policy = AttemptTimeout(read=time_left(VirtualClock()), clock=VirtualClock())
            return await outcome(policy(call(), hang))

    assert run(story()) == "AttemptTimedOut"


@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_a_deadline_names_the_service(service, seconds):
    """It goes into the client's error; whether nothing was sent, or too late."""
    service.script = [9.0]

    async def story():
        with within(seconds), pytest.raises(DeadlineExceeded) as met:
            await AttemptTimeout(clock=VirtualClock())(call(), service)
        return met.value.service

    assert run(story()) == "users"


def test_whoever_lost_patience_knows_with_whom():
    """As every error of a datasource."""
    assert Unsettled("users", None).service == "users"
    assert Unsettled("users", None).reason is Reason.REVALIDATING
    assert Unsettled("users", NotFound("users")).reason is Reason.REVALIDATING
    assert Unsettled("users", BulkheadFull("users")).reason is Reason.OVERLOADED


def test_half_a_second_is_enough_to_ask_anew(service):
    """For one who had joined a question that ran out of its own time."""
    flights = SingleFlight(budget=5.0, writes=Writes(), clock=VirtualClock())
    service.script = [(4.98, DeadlineExceeded("users")), 0.1]

    async def ask(seconds):
        with within(seconds):
            return await outcome(flights(call(), service))

    async def story():
        early = asyncio.create_task(ask(60.0))
        await asyncio.sleep(4.5)
        late = asyncio.create_task(ask(1.0))
        return await early, await late

    assert run(story()) == ("DeadlineExceeded", {"k": "k v1"})


def test_an_answer_is_personal_unless_somebody_says_otherwise():
    """Whoever forgets to say it shares nothing; nor is anything asked that is no read."""
    defaults = {field.name: field.default for field in fields(Route)}
    assert (defaults["personal"], defaults["method"]) == (True, "GET")


def test_a_call_begins_at_its_beginning():
    """It may be repeated, is the first attempt, waits as long as it can."""
    route = call().route
    asked = Call(route=route, path="/", keys=(), decode=lambda status, body: {})
    assert (asked.attempt, asked.repeatable, asked.patience) == (1, True, None)
    assert (asked.asked, asked.params, asked.idempotency_key) == (0, {}, None)


def test_the_methods_are_those_of_the_rfc():
    """RFC 9110 §9.2.1 and §9.2.2, less TRACE, which nobody sends."""
    assert {"GET", "HEAD", "OPTIONS"} == SAFE_METHODS
    assert {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"} == IDEMPOTENT_METHODS


def test_the_only_part_of_a_reply():
    """The part; without one why there is none; without that, there is no such thing."""
    part = Sourced("k!", "users", EPOCH)
    assert Reply({"k": part}).only("users") is part
    with pytest.raises(ServerFault):
        Reply({}, ServerFault("users", 503)).only("users")
    with pytest.raises(NotFound) as met:
        Reply({}).only("users")
    assert met.value.service == "users"
    assert replace(Reply({"k": part}), parts={}).failure is None


def test_nine_seconds_ago_is_still_within_the_window(events):
    """Ten are, by default; half of ten calls have failed, five of them nine seconds ago."""
    clock = HandClock()
    breaker = Breaker("users", events=events, clock=clock)
    for _ in range(5):
        breaker.fail(breaker.acquire())
    for _ in range(4):
        breaker.succeed(breaker.acquire())
    clock.time += 9.0
    breaker.succeed(breaker.acquire())
    assert breaker.state == "open"


def test_counting_says_what_there_is_then():
    """The sums with what was just added, so that nobody has to ask again."""
    clock = HandClock()
    window = RollingWindow(10.0, 2, clock.monotonic)
    assert window.add(1, 0) == (1, 0)
    assert window.add(1, 1) == window.totals() == (2, 1)
    clock.time += 10.0
    assert window.add(3, 3) == (3, 3)


def test_a_breaker_that_somebody_half_opened_lets_one_through(events):
    """Also one who has an old value: no probe has shown nothing yet."""
    breaker = Breaker("users", events=events, clock=HandClock())
    breaker._machine.half_open()
    assert breaker.would_admit(has_old=True)
    assert breaker.acquire(has_old=True).probe
    assert not breaker.would_admit()


def test_who_says_nothing_has_nothing(events):
    """After a probe that showed nothing, whoever does not mention an old value may be the next."""
    breaker = Breaker("users", events=events, clock=HandClock())
    breaker._machine.half_open()
    breaker.release(breaker.acquire())
    assert not breaker.would_admit(has_old=True)
    assert breaker.would_admit()
    assert breaker.acquire().probe


def test_closed_is_said_in_a_word(events):
    """It is the same as the state."""
    breaker = Breaker("users", consecutive=1, events=events, clock=HandClock())
    assert (breaker.state, breaker.closed) == ("closed", True)
    breaker.fail(breaker.acquire())
    assert (breaker.state, breaker.closed) == ("open", False)


def test_whoever_closes_it_by_hand_ends_the_row(events):
    """The row is counted where pybreaker counts it, and forgotten when pybreaker closes."""
    breaker = Breaker("users", minimum_calls=100, events=events, clock=HandClock())
    for _ in range(9):
        breaker.fail(breaker.acquire())
    breaker._machine.close()
    for _ in range(9):
        breaker.fail(breaker.acquire())
    assert breaker.closed


def test_whoever_closes_it_by_hand_gives_it_a_clean_slate(events):
    """The failures of before are no part of any share: the next one is one of one."""
    breaker = Breaker("users", minimum_calls=10, consecutive=100, events=events, clock=HandClock())
    for _ in range(10):
        breaker.fail(breaker.acquire())
    assert breaker.state == "open"
    breaker._machine.close()
    breaker.fail(breaker.acquire())
    assert breaker.closed


def test_pybreaker_shows_our_numbers(events):
    """To whoever listens to it and looks at what has changed."""
    breaker = Breaker("users", consecutive=7, reset=20.0, events=events, clock=HandClock())
    machine = breaker._machine
    assert (machine.name, machine.fail_max, machine.reset_timeout) == ("users", 7, 20.0)


def test_a_second_lost_probe_revives_no_earlier_call(events):
    """What was asked while it was closed stays without effect, however many probes are lost."""
    clock = HandClock()
    breaker = Breaker("users", consecutive=1, events=events, clock=clock)
    early = breaker.acquire()
    breaker.fail(breaker.acquire())
    clock.time += 33.0
    for _ in range(3):
        breaker.acquire()
        clock.time += 30.0
        breaker.fail(early)
        assert breaker.state == "half-open"


def test_who_comes_in_the_instant_of_the_answer_asks_anew(service):
    """It is another instant for him: the question was answered before he asked."""
    flights = SingleFlight(budget=5.0, writes=Writes(), clock=VirtualClock())

    async def story():
        gate = asyncio.get_running_loop().create_future()

        async def send(asked):
            if not gate.done():
                await gate
            return await service(asked)

        async def ask():
            with within():
                return await outcome(flights(call(), send))

        first = asyncio.create_task(ask())
        await asyncio.sleep(1.0)
        gate.set_result(None)
        return await asyncio.gather(first, asyncio.create_task(ask()))

    service.script = [set("k"), set("k")]
    assert run(story()) == [{"k": "k v1"}, {"k": "k v2"}]


def test_who_comes_after_a_cancelled_question_does_not_wait_for_its_end(service):
    """It may take its time to clean up."""
    flights = SingleFlight(budget=5.0, writes=Writes(), clock=VirtualClock())

    async def slow_to_leave(asked):
        try:
            await asyncio.sleep(9.0)
        finally:
            await asyncio.sleep(1.0)

    async def ask(send):
        with within():
            return await outcome(flights(call(), send))

    async def story():
        loop = asyncio.get_running_loop()
        only = asyncio.create_task(ask(slow_to_leave))
        await asyncio.sleep(1.0)
        only.cancel()
        await asyncio.wait([only])
        begun = loop.time()
        answer = await ask(service)
        took = loop.time() - begun
        await flights.aclose()
        return answer, took

    assert run(story()) == ({"k": "k v1"}, 0.0)


def test_a_question_is_due_when_the_last_who_waits_for_it_leaves(service):
    """So nobody inside takes it to have longer than anybody outside."""
    flights = SingleFlight(budget=9.0, writes=Writes(), clock=VirtualClock())
    dues = []

    async def send(asked):
        dues.append(asked.due())
        await asyncio.sleep(1.0)
        dues.append(asked.due())
        return await service(asked)

    async def ask(seconds):
        with within(seconds):
            return await outcome(flights(call(), send))

    async def story():
        await asyncio.gather(ask(3.0), ask(5.0), ask(4.0))

    run(story())
    assert dues[-1] == 1005.0
    assert dues[0] <= dues[-1]


@pytest.mark.parametrize("met", [ServerFault("users", 503), NotFound("users"), KeyError("ours")])
def test_a_breaker_passes_on_what_it_has_seen(events, met):
    """The very error, whatever it thinks of it."""
    breaker = Breaker("users", events=events, clock=HandClock())

    async def send(asked):
        raise met

    async def story():
        with within(), pytest.raises(type(met)) as passed:
            await breaker(call(), send)
        return passed.value

    assert run(story()) is met
