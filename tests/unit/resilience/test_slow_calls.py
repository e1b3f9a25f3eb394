"""Breaker: answers that are slow."""

import asyncio

import pytest

from datasources.errors import AttemptTimedOut, NotFound, ServerFault
from datasources.resilience.breaker import Breaker
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import HandClock, VirtualClock, run

SLOW = 2.5
QUICK = 2.4
FAULT = ServerFault("users", 503)


@pytest.fixture
def breaker(events):
    return Breaker(
        "users", window=100.0, events=events, clock=VirtualClock(), uniform=lambda low, high: low
    )


def met(breaker, service, script, **asked):
    """The state after questions, one after the other, that take so long or meet such errors."""
    service.script = list(script)

    async def story():
        with within(3600.0):
            return [await outcome(breaker(call(**asked), service)) for _ in script]

    run(story())
    return breaker.state


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ([SLOW] * 9, "closed"),
        ([SLOW] * 10, "open"),
        ([QUICK] + [SLOW] * 9, "open"),
        ([SLOW] * 9 + [QUICK], "open"),
        ([QUICK] * 2 + [SLOW] * 17, "closed"),
        ([QUICK] * 2 + [SLOW] * 18, "open"),
        ([QUICK] * 30, "closed"),
        ([(SLOW, NotFound("users"))] * 10, "open"),
        ([(0.1, NotFound("users"))] * 30, "closed"),
        ([SLOW] * 9 + [(3.0, AttemptTimedOut("users", 3.0))] * 5, "closed"),
        ([(3.0, FAULT)] * 4 + [SLOW] * 10, "open"),
    ],
)
def test_nine_of_ten_slow_answers_open(breaker, service, script, state):
    """Of at least ten; a slow refusal is one; a failure is none, however long it took."""
    assert met(breaker, service, script) == state


def test_a_write_may_take_its_time(breaker, service):
    """Nor does a quick one make up for slow reads."""
    assert met(breaker, service, [9.0] * 30, method="POST") == "closed"
    assert met(breaker, service, [0.0] * 30, method="POST") == "closed"
    assert met(breaker, service, [SLOW] * 10) == "open"


def test_slow_answers_that_are_older_than_the_window_do_not_count(events):
    """Nine, then ten seconds of silence, then one more."""
    clock = HandClock()
    breaker = Breaker("users", events=events, clock=clock)
    for _ in range(9):
        breaker.succeed(breaker.acquire(), seconds=3.0)
    clock.time += 10.0
    breaker.succeed(breaker.acquire(), seconds=3.0)
    assert breaker.state == "closed"


@pytest.mark.parametrize(
    ("probe", "state"),
    [(QUICK, "closed"), (SLOW, "open"), ((SLOW, NotFound("users")), "open")],
)
def test_a_probe_that_is_answered_slowly_opens_again(breaker, service, probe, state):
    """A quick one closes."""

    async def story():
        with within(3600.0):
            for _ in range(10):
                await outcome(breaker(call(), service))
            assert breaker.state == "open"
            await asyncio.sleep(30.0)
            service.script = [probe]
            await outcome(breaker(call(), service))

    service.script = [FAULT] * 10
    run(story())
    assert breaker.state == state


def test_a_slow_probe_of_a_write_closes(breaker, service):
    """It is not judged."""

    async def story():
        with within(3600.0):
            for _ in range(10):
                await outcome(breaker(call(), service))
            await asyncio.sleep(30.0)
            await outcome(breaker(call(method="POST"), service))

    service.script = [FAULT] * 10 + [9.0]
    run(story())
    assert breaker.state == "closed"


def test_slow_answers_that_come_late_count_for_nothing(events):
    """Asked before the breaker opened, answered when it had closed again."""
    clock = HandClock()
    breaker = Breaker("users", events=events, clock=clock, uniform=lambda low, high: low)
    early = [breaker.acquire() for _ in range(20)]
    for _ in range(10):
        breaker.fail(breaker.acquire())
    clock.time += 30.0
    breaker.succeed(breaker.acquire(), seconds=0.1)
    for permit in early:
        breaker.succeed(permit, seconds=30.0)
    assert breaker.state == "closed"


def test_closing_forgets_what_was_slow(events):
    """Nine slow answers before it opened and one after it closed are not ten."""
    clock = HandClock()
    breaker = Breaker(
        "users", window=100.0, events=events, clock=clock, uniform=lambda low, high: low
    )
    for _ in range(9):
        breaker.succeed(breaker.acquire(), seconds=3.0)
    for _ in range(9):
        breaker.fail(breaker.acquire())
    assert breaker.state == "open"
    clock.time += 30.0
    breaker.succeed(breaker.acquire(), seconds=0.1)
    breaker.succeed(breaker.acquire(), seconds=3.0)
    assert breaker.state == "closed"
