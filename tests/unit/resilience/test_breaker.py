"""Breaker."""

import asyncio

import pybreaker
import pytest

from datasources.errors import (
    AttemptTimedOut,
    BadReply,
    BulkheadFull,
    CircuitOpen,
    Forbidden,
    NotFound,
    Rejected,
    ServerFault,
    TryLater,
    Unreachable,
)
from datasources.events import BreakerChanged
from datasources.resilience.breaker import Breaker, BreakerPeek
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import HandClock, run

FAULT = ServerFault("users", 503)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def breaker(events, clock):
    return Breaker("users", events=events, clock=clock, uniform=lambda low, high: low)


async def ask(breaker, service, times=1):
    with within():
        return [await outcome(breaker(call(), service)) for _ in range(times)]


def outcomes(breaker, service, times=1):
    return run(ask(breaker, service, times))


def open_it(breaker, service):
    service.script = [FAULT] * 10
    outcomes(breaker, service, 10)
    assert breaker.state == "open"


def test_half_of_ten_opens(breaker, service):
    """Five successes, then five failures: open, and the sixth failure is not sent."""
    outcomes(breaker, service, 5)
    service.script = [FAULT] * 6
    assert outcomes(breaker, service, 6) == ["ServerFault"] * 5 + ["CircuitOpen"]
    assert (breaker.state, len(service.asked)) == ("open", 10)


def test_the_order_does_not_matter(breaker, service):
    """Five failures first: the fifth success is the tenth call, and half have failed."""
    service.script = [FAULT] * 5
    outcomes(breaker, service, 9)
    assert breaker.state == "closed"
    outcomes(breaker, service)
    assert breaker.state == "open"


def test_less_than_half_does_not_open(breaker, service):
    """Six successes and five failures: closed."""
    outcomes(breaker, service, 6)
    service.script = [FAULT] * 5
    outcomes(breaker, service, 5)
    assert breaker.state == "closed"


def test_nine_calls_are_too_few(breaker, service):
    """Nine failures in nine calls: closed; the tenth opens."""
    service.script = [FAULT] * 10
    outcomes(breaker, service, 9)
    assert breaker.state == "closed"
    outcomes(breaker, service)
    assert breaker.state == "open"


def test_ten_in_a_row_open_whatever_the_share(breaker, service):
    """After a hundred successes, ten failures are a tenth, and a total outage all the same."""
    outcomes(breaker, service, 100)
    service.script = [FAULT] * 10
    outcomes(breaker, service, 9)
    assert breaker.state == "closed"
    outcomes(breaker, service)
    assert breaker.state == "open"


def test_what_is_older_than_the_window_does_not_count(breaker, service, clock):
    """Nine failures, ten seconds, one more: closed."""
    service.script = [FAULT] * 9 + [0.0, FAULT]
    outcomes(breaker, service, 9)
    clock.time += 10.0
    outcomes(breaker, service, 2)
    assert breaker.state == "closed"


def test_open_refuses_for_thirty_seconds(breaker, service, clock):
    """Nothing is sent until then."""
    open_it(breaker, service)
    clock.time += 29.9
    assert outcomes(breaker, service) == ["CircuitOpen"]
    assert len(service.asked) == 10
    clock.time += 0.1
    assert outcomes(breaker, service) == [{"k": "k v1"}]
    assert breaker.state == "closed"


def test_reopening_is_spread_over_a_tenth(events, service, clock):
    """Thirty-three seconds at most."""
    breaker = Breaker("users", events=events, clock=clock, uniform=lambda low, high: high)
    open_it(breaker, service)
    clock.time += 32.9
    assert not breaker.would_admit()
    clock.time += 0.2
    assert breaker.would_admit()


def test_a_failing_probe_opens_again(breaker, service, clock):
    """For another thirty seconds."""
    open_it(breaker, service)
    clock.time += 30.0
    service.script = [FAULT]
    assert outcomes(breaker, service, 2) == ["ServerFault", "CircuitOpen"]
    clock.time += 29.9
    assert outcomes(breaker, service) == ["CircuitOpen"]


def test_one_of_a_thousand_is_the_probe(breaker, service, clock):
    """A thousand calls at once through a half-open breaker: one is sent."""
    open_it(breaker, service)
    service.asked.clear()
    clock.time += 30.0
    service.script = [1.0]

    async def story():
        with within():
            return await asyncio.gather(*(outcome(breaker(call(), service)) for _ in range(1000)))

    answers = run(story())
    assert (len(service.asked), answers.count("CircuitOpen")) == (1, 999)
    assert breaker.state == "closed"


def test_a_cancelled_probe_lets_the_next_one_through(breaker, service, clock):
    """Cancellation shows nothing of the service: still half-open, and the place is free."""
    open_it(breaker, service)
    clock.time += 30.0
    service.script = [5.0]

    async def story():
        with within():
            probe = asyncio.create_task(breaker(call(), service))
            await asyncio.sleep(1.0)
            probe.cancel()
            await asyncio.wait([probe])
            assert breaker.state == "half-open"
            return await outcome(breaker(call(), service))

    assert run(story()) == {"k": "k v1"}
    assert breaker.state == "closed"


def test_a_lost_probe_is_replaced_after_its_lease(breaker, clock, service):
    """A permit that nobody settles holds the place for thirty seconds; then its result is void."""
    open_it(breaker, service)
    clock.time += 30.0
    lost = breaker.acquire()
    clock.time += 29.9
    with pytest.raises(CircuitOpen):
        breaker.acquire()
    clock.time += 0.1
    second = breaker.acquire()
    breaker.fail(lost)
    assert breaker.state == "half-open"
    breaker.succeed(second)
    assert breaker.state == "closed"


def test_a_lost_probe_that_is_cancelled_late_frees_nothing(breaker, clock, service):
    """The place is the second one's by then."""
    open_it(breaker, service)
    clock.time += 30.0
    lost = breaker.acquire()
    clock.time += 30.0
    breaker.acquire()
    breaker.release(lost)
    assert not breaker.would_admit()


def test_a_failing_probe_opens_whatever_the_share_and_the_row(breaker, service, clock):
    """Opened by five of ten; the window is empty by the time of the probe."""
    service.script = [0.0, FAULT] * 5
    outcomes(breaker, service, 10)
    assert breaker.state == "open"
    clock.time += 30.0
    service.script = [FAULT]
    outcomes(breaker, service)
    assert breaker.state == "open"


def test_closing_forgets_what_opened_it(events, service, clock):
    """Also when the window is longer than the time open."""
    breaker = Breaker(
        "users", window=100.0, reset=5.0, events=events, clock=clock, uniform=lambda low, high: low
    )
    open_it(breaker, service)
    clock.time += 5.0
    outcomes(breaker, service)
    service.script = [FAULT]
    outcomes(breaker, service, 5)
    assert breaker.state == "closed"


def test_a_refusal_names_the_service(breaker, service):
    """It goes into the client's error."""
    open_it(breaker, service)
    with pytest.raises(CircuitOpen) as refused:
        breaker.acquire()
    assert refused.value.service == "users"


def test_late_results_count_for_nothing(breaker, service, clock):
    """A call that was sent before the breaker opened neither closes nor opens it later."""
    early, late = breaker.acquire(), breaker.acquire()
    open_it(breaker, service)
    breaker.succeed(early)
    assert breaker.state == "open"
    clock.time += 30.0
    outcomes(breaker, service)
    for _ in range(9):
        breaker.fail(breaker.acquire())
    breaker.fail(late)
    assert breaker.state == "closed"


@pytest.mark.parametrize(
    "error", [Unreachable("users"), AttemptTimedOut("users", 3.0), FAULT, BadReply("users")]
)
def test_every_failure_of_the_service_counts(breaker, service, error):
    """Ten of any kind open."""
    service.script = [error] * 10
    outcomes(breaker, service, 10)
    assert breaker.state == "open"


@pytest.mark.parametrize(
    "error",
    [
        NotFound("users"),
        Forbidden("users"),
        Rejected("users", 422),
        TryLater("users", 429),
        BulkheadFull("users"),
        RuntimeError("a bug of ours"),
    ],
)
def test_nothing_else_counts(breaker, service, error):
    """Twenty refusals, rejections of our own or bugs: closed."""
    service.script = [error] * 20
    outcomes(breaker, service, 20)
    assert breaker.state == "closed"


def test_a_refusal_ends_a_row_of_failures(breaker, service):
    """It shows a service in good health."""
    outcomes(breaker, service, 20)
    service.script = [FAULT] * 9 + [NotFound("users")] + [FAULT] * 9
    outcomes(breaker, service, 19)
    assert breaker.state == "closed"


def test_every_change_is_announced(breaker, service, clock, announced):
    """Closed, open, half-open, closed."""
    open_it(breaker, service)
    clock.time += 30.0
    outcomes(breaker, service)
    assert announced == [
        BreakerChanged(service="users", old="closed", new="open"),
        BreakerChanged(service="users", old="open", new="half-open"),
        BreakerChanged(service="users", old="half-open", new="closed"),
    ]


def test_a_subscriber_that_raises_vetoes_nothing(breaker, service, events):
    """The breaker opens all the same."""

    def broken(event):
        raise RuntimeError(event)

    events.subscribe(broken)
    open_it(breaker, service)


def test_peek_refuses_without_taking_anything(breaker, service, clock):
    """Open: refused before the queue; half-open: the probe's place is still free afterwards."""
    peek = BreakerPeek(breaker)
    open_it(breaker, service)
    assert outcomes(peek, service) == ["CircuitOpen"]
    clock.time += 30.0
    assert outcomes(peek, service) == [{"k": "k v1"}]
    assert breaker.acquire().probe


def test_pybreaker_is_the_machine(breaker):
    """Its own names for the states, and its own state objects."""
    assert breaker.state == pybreaker.STATE_CLOSED
    assert isinstance(breaker._machine, pybreaker.CircuitBreaker)
