"""Retry and RetryBudget."""

import asyncio

import pytest

from datasources.errors import (
    AttemptTimedOut,
    BadReply,
    CircuitOpen,
    DeadlineExceeded,
    Forbidden,
    NotFound,
    NoTimeToAsk,
    Rejected,
    ServerFault,
    TryLater,
    Unreachable,
)
from datasources.events import RetryScheduled
from datasources.resilience.deadline import time_left
from datasources.resilience.retry import Retry
from datasources.resilience.retry_budget import RetryBudget
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import HandClock, VirtualClock, run

FAULT = ServerFault("users", 503)
GONE = Unreachable("users")
READ = {}
WRITE = {"method": "POST"}
KEYED = {"method": "POST", "idempotency_key": "k1"}
KEPT = {"method": "POST", "idempotency_key": "k1", "repeatable": False}


def retry(events, *, admits=lambda: True, budget=None):
    """Waits as long as it may, so that waits are known."""
    clock = VirtualClock()
    return Retry(
        budget=budget or RetryBudget(clock=clock),
        admits=admits,
        events=events,
        clock=clock,
        uniform=lambda low, high: high,
    )


def told(events, service, kind, seconds=5.0, **changes):
    async def story():
        with within(seconds):
            return await outcome(retry(events, **changes)(call(**kind), service))

    return run(story())


@pytest.mark.parametrize(
    ("kind", "script", "result", "waits"),
    [
        (READ, [], {"k": "k v1"}, []),
        (READ, [FAULT], {"k": "k v1"}, [0.05]),
        (READ, [GONE, FAULT, AttemptTimedOut("users", 1.0)], {"k": "k v1"}, [0.05, 0.1, 0.2]),
        (READ, [FAULT] * 4, "ServerFault", [0.05, 0.1, 0.2]),
        (READ, [ServerFault("users", 503, 1.5)], {"k": "k v1"}, [1.5]),
        (READ, [ServerFault("users", 503, 0.01)], {"k": "k v1"}, [0.05]),
        (READ, [ServerFault("users", 503, 60.0)], "ServerFault", []),
        (READ, [TryLater("users", 429, 0.7)], {"k": "k v1"}, [0.7]),
        (KEYED, [FAULT, TryLater("users", 429, 9.0)], "ServerFault", [0.05]),
        (KEYED, [FAULT, Rejected("users", 409)], "ServerFault", [0.05]),
        (KEYED, [FAULT, Forbidden("users")], "ServerFault", [0.05]),
        (KEYED, [Rejected("users", 409)], "Rejected", []),
        (KEYED, [TryLater("users", 429), Rejected("users", 422)], "Rejected", [0.05]),
        (READ, [TryLater("users", 429)] * 4, "TryLater", [0.05, 0.1, 0.2]),
        (READ, [TryLater("users", 429), FAULT, FAULT, FAULT], "ServerFault", [0.05, 0.1, 0.2]),
        (READ, [FAULT, NotFound("users")], "NotFound", [0.05]),
        (READ, [ServerFault("users", 501)], "ServerFault", []),
        (READ, [BadReply("users")], "BadReply", []),
        (READ, [NotFound("users")], "NotFound", []),
        (READ, [CircuitOpen("users")], "CircuitOpen", []),
        (READ, [FAULT, CircuitOpen("users")], "ServerFault", [0.05]),
        (READ, [FAULT, DeadlineExceeded("users")], "DeadlineExceeded", [0.05]),
        (READ, [AttemptTimedOut("users", 4.97)], "AttemptTimedOut", []),
        (WRITE, [FAULT], "ServerFault", []),
        (KEYED, [FAULT], {"it": "it v1"}, [0.05]),
        (KEPT, [FAULT], "ServerFault", []),
    ],
)
def test_what_is_repeated_and_when(events, service, announced, kind, script, result, waits):
    """One row, one story: what is asked, what it meets, what comes of it, how long it waits."""
    service.script = list(script)
    assert told(events, service, kind) == result
    assert [event.delay for event in announced] == waits
    assert service.attempts == list(range(1, len(waits) + 2))


def test_waits_are_drawn_between_nothing_and_the_bound(events, service):
    """Full jitter: the bound doubles from 50 ms and stops at one second."""
    drawn = []

    def uniform(low, high):
        drawn.append((low, high))
        return 0.0

    clock = VirtualClock()
    patient = Retry(
        retries=7,
        budget=RetryBudget(clock=clock),
        admits=lambda: True,
        events=events,
        clock=clock,
        uniform=uniform,
    )
    service.script = [FAULT] * 7

    async def story():
        with within():
            await patient(call(), service)

    run(story())
    assert drawn == [(0.0, high) for high in (0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0)]


def test_a_repeat_is_announced_before_its_wait(events, service, announced):
    """With what was met."""
    service.script = [GONE]
    told(events, service, READ)
    assert announced == [
        RetryScheduled(service="users", operation="by_id", retry=1, delay=0.05, cause="Unreachable")
    ]


def test_it_does_wait(events, service):
    """Twice: a service that has just failed is not asked in the same instant."""
    service.script = [FAULT, FAULT]

    async def story():
        loop = asyncio.get_running_loop()
        began = loop.time()
        with within():
            await retry(events)(call(), service)
        return round(loop.time() - began, 3)

    assert run(story()) == 0.15


def test_it_does_not_wait_for_what_the_breaker_would_refuse(events, service, announced):
    """Fails with what the attempt met."""
    service.script = [FAULT]
    assert told(events, service, READ, admits=lambda: False) == "ServerFault"
    assert announced == []


def test_it_fails_now_when_the_wait_does_not_fit(events, service):
    """Forty milliseconds are left, and the first wait may take fifty."""
    service.script = [FAULT]
    assert told(events, service, READ, seconds=0.06) == "ServerFault"
    assert len(service.asked) == 1


def test_what_failed_at_once_may_be_asked_again_with_little_time(events, service):
    """Only an attempt that ran into its limit needs as much again."""
    service.script = [FAULT]
    assert told(events, service, READ, seconds=0.5) == {"k": "k v1"}


def test_a_wait_that_ends_with_the_time_is_not_begun(events, service, announced):
    """To the instant: nobody would be left to ask for."""
    clock = VirtualClock()
    policy = Retry(
        budget=RetryBudget(clock=clock),
        admits=lambda: True,
        events=events,
        clock=clock,
        uniform=lambda low, high: time_left(clock),
    )
    service.script = [FAULT]

    async def story():
        with within():
            return await outcome(policy(call(), service))

    assert run(story()) == "ServerFault"
    assert (announced, len(service.asked)) == ([], 1)


@pytest.mark.parametrize(
    ("due", "result"),
    [(0.06, "ServerFault"), (0.1, {"k": "k v1"}), (60.0, {"k": "k v1"})],
)
def test_nobody_is_asked_for_those_who_have_left(events, service, due, result):
    """The wait is 50 ms, and 20 ms are kept back of the time of those who wait."""
    service.script = [FAULT]
    assert told(events, service, {"due": lambda: VirtualClock().monotonic() + due}) == result


def test_no_question_outlives_its_own_deadline(events, service):
    """However long those would wait who share it."""
    service.script = [ServerFault("users", 503, 2.0)]
    asked = {"due": lambda: VirtualClock().monotonic() + 60.0}
    assert told(events, service, asked, seconds=1.0) == "ServerFault"


def test_trouble_is_told_to_whoever_waits(events, service):
    """Each failed attempt, as it happens."""
    met = []
    service.script = [FAULT, GONE]
    told(events, service, {"on_trouble": met.append})
    assert met == [FAULT, GONE]


def test_a_dead_service_is_not_asked_four_times_as_often(events, service):
    """A thousand calls in ten seconds, all failing: a tenth more and the reserve of ten."""
    clock = VirtualClock()
    budget = RetryBudget(clock=clock)
    policy = retry(events, budget=budget)
    service.script = [FAULT] * 2000

    async def story():
        with within(60.0):
            calls = []
            for _ in range(1000):
                calls.append(asyncio.create_task(outcome(policy(call(), service))))
                await asyncio.sleep(0.009)
            await asyncio.gather(*calls)

    run(story())
    assert 1100 <= len(service.asked) <= 1110


def test_a_quiet_service_may_be_repeated_ten_times_in_ten_seconds():
    """One a second, saved up; and a tenth of the calls."""
    clock = HandClock()
    budget = RetryBudget(clock=clock)
    assert [budget.withdraw() for _ in range(11)] == [True] * 10 + [False]
    for _ in range(10):
        budget.deposit()
    assert [budget.withdraw() for _ in range(2)] == [True, False]
    clock.time += 11.2
    assert budget.withdraw()


@pytest.mark.parametrize("start", [0.0, 0.3, 0.99, 1.05])
def test_no_ten_seconds_have_more_repeats_than_that(start):
    """Whenever they begin: what is counted in tenths is forgotten late rather than early."""
    clock = HandClock()
    clock.time += start
    budget = RetryBudget(clock=clock)
    assert all(budget.withdraw() for _ in range(10))
    for _ in range(99):
        clock.time += 0.1
        assert not budget.withdraw()


@pytest.mark.parametrize(
    ("second", "result"),
    [(NoTimeToAsk("users"), "ServerFault"), (DeadlineExceeded("users"), "DeadlineExceeded")],
)
def test_a_repeat_for_which_there_was_no_time(events, service, second, result):
    """Was not sent: the first attempt is what is in doubt. One that was cut short was sent."""
    service.script = [FAULT, second]
    assert told(events, service, KEYED) == result
