"""The order and the numbers, word for word, and what the policies share."""

import asyncio

import pytest

from datasources.errors import ServerFault
from datasources.events import Events, RetryScheduled
from datasources.importance import Importance
from datasources.resilience.attempt_timeout import AttemptTimeout
from datasources.resilience.breaker import Breaker
from datasources.resilience.bulkhead import Bulkhead
from datasources.resilience.cache import ByteCache
from datasources.resilience.retry import Retry
from datasources.resilience.retry_budget import RetryBudget
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import VirtualClock, run


@pytest.fixture
def protect(service, events):
    """The standard pipeline of the service, with these numbers."""

    def build(**numbers):
        shared = Shared(ByteCache(), events, VirtualClock())
        return standard_pipeline("users", service, Numbers(**numbers), shared)

    return build


def test_the_standard_order(protect):
    """Outermost first; whoever changes it changes this list and docs/pipeline.md."""
    assert str(protect().ask).split(" → ") == [
        "Journaling",
        "ReadYourWrites",
        "FreshCache(0 s)",
        "StaleWhileRevalidate(0.15 s)",
        "LoadShedding",
        "SingleFlight(5 s)",
        "StaleFallback(300 s)",
        "Retry(3 of idempotent calls, 10% + 1/s)",
        "BreakerPeek",
        "Bulkhead(64 + 128)",
        "TimeToAsk",
        "Breaker(50% of ≥10, 10 in a row, 90% taking ≥2.5 s, 30 s)",
        "AttemptEvents",
        "AttemptTimeout(read 3 s, write 10 s)",
        "send",
    ]


def test_each_number_reaches_its_policy(protect):
    """None of them as it is by default."""
    numbers = {
        "fresh": 1.0,
        "stale": 100.0,
        "patience": 0.3,
        "budget": 4.0,
        "retries": 2,
        "bulkhead_limit": 6,
        "bulkhead_queue": 12,
        "failure_ratio": 0.4,
        "minimum_calls": 7,
        "consecutive": 8,
        "reset": 20.0,
        "slow": 1.5,
        "slow_ratio": 0.8,
        "read": 2.0,
        "write": 9.0,
        "hedged": frozenset({"by_id"}),
        "hedge_after": 0.25,
    }
    assert str(protect(**numbers).ask).split(" → ") == [
        "Journaling",
        "ReadYourWrites",
        "FreshCache(1 s)",
        "StaleWhileRevalidate(0.3 s)",
        "LoadShedding",
        "SingleFlight(4 s)",
        "StaleFallback(100 s)",
        "Retry(2 of idempotent calls, 10% + 1/s)",
        "Hedging(by_id after 0.25 s)",
        "BreakerPeek",
        "Bulkhead(6 + 12)",
        "TimeToAsk",
        "Breaker(40% of ≥7, 8 in a row, 80% taking ≥1.5 s, 20 s)",
        "AttemptEvents",
        "AttemptTimeout(read 2 s, write 9 s)",
        "send",
    ]


@pytest.mark.parametrize(
    ("numbers", "seconds", "state"),
    [
        ({}, 9.0, "open"),
        ({}, 10.0, "closed"),
        ({"window": 20.0}, 10.0, "open"),
        ({"window": 2.0}, 9.0, "closed"),
    ],
)
def test_what_counts_is_what_happened_within_the_window(protect, service, numbers, seconds, state):
    """Nine failures, and so many seconds later another; ten of ten open it."""
    service.script = [ServerFault("users", 503)] * 10
    protected = protect(retries=0, consecutive=100, **numbers)

    async def fail():
        with within():
            assert await outcome(protected.ask(call())) == "ServerFault"

    async def story():
        for _ in range(9):
            await fail()
        await asyncio.sleep(seconds)
        await fail()
        return protected.breaker.state

    assert run(story()) == state


def test_unless_somebody_says_otherwise_there_is_room_for_all(protect):
    """Also for what matters least."""

    async def story():
        with within():
            return await outcome(protect().ask(call(importance=Importance.OPTIONAL)))

    assert run(story()) == {"k": "k v1"}


def test_a_policy_alone_has_the_numbers_of_the_standard(protect, events):
    """Whoever builds one by hand and says nothing gets the same."""
    clock = VirtualClock()
    budget = RetryBudget(clock=clock)
    alone = [
        Retry(budget=budget, admits=lambda: True, events=events, clock=clock),
        Bulkhead(clock=clock),
        Breaker("users", events=events, clock=clock),
        AttemptTimeout(clock=clock),
    ]
    standard = {type(policy): str(policy) for policy in protect().ask.policies}
    assert [str(policy) for policy in alone] == [standard[type(policy)] for policy in alone]


def test_a_hedged_service_has_one_policy_more(protect):
    """Inside the repeats, which count its attempts; outside all that an attempt passes."""
    names = [step.partition("(")[0] for step in str(protect().ask).split(" → ")]
    assert "Hedging" not in names
    hedged = str(protect(hedged=frozenset({"by_id", "a"}), hedge_after=0.2).ask).split(" → ")
    retry = next(place for place, step in enumerate(hedged) if step.startswith("Retry"))
    assert hedged[retry + 1 : retry + 3] == ["Hedging(a, by_id after 0.2 s)", "BreakerPeek"]
    assert [step.partition("(")[0] for step in hedged if "Hedging" not in step] == names
    assert "Hedging(by_id after 0.5 s)" in str(protect(hedged=frozenset({"by_id"})).ask)


def test_an_adaptive_bulkhead_shows_its_bounds(protect):
    """In the place of the number."""
    assert "Bulkhead(4 to 64 + 128)" in str(protect(adaptive=True).ask)
    assert "Bulkhead(3 to 3 + 128)" in str(protect(adaptive=True, bulkhead_limit=3).ask)


def test_all_policies_know_of_a_write(protect, service):
    """Read, write, read again, and again: live after the write, and kept from then on."""
    ask = protect(fresh=60.0).ask

    async def origin():
        with within():
            return (await ask(call())).parts["k"].origin.value

    async def story():
        first = [await origin(), await origin()]
        with within():
            await ask(call(method="POST"))
        return [*first, await origin(), await origin()]

    assert run(story()) == ["LIVE", "CACHE", "LIVE", "CACHE"]


def test_nothing_is_repeated_once_the_breaker_is_open(protect, service, events, announced):
    """The attempt that opened it was the last one, and nobody waits for another."""
    service.script = [ServerFault("users", 503)] * 20
    ask = protect(consecutive=2).ask

    async def story():
        with within():
            return await outcome(ask(call()))

    assert run(story()) == "ServerFault"
    assert len(service.asked) == 2
    assert sum(isinstance(event, RetryScheduled) for event in announced) == 1


def test_a_repeat_that_nobody_can_wait_for_is_not_put_off(protect, service):
    """The service says two seconds, the caller has one: he is told what was met, and at once."""
    service.script = [ServerFault("users", 503, 2.0)]

    async def story():
        loop = asyncio.get_running_loop()
        began = loop.time()
        with within(1.0):
            met = await outcome(protect().ask(call()))
        return met, loop.time() - began

    assert run(story()) == ("ServerFault", 0.0)
    assert len(service.asked) == 1


def test_a_repeat_that_somebody_can_wait_for_is_for_all(protect, service):
    """One of three has the time; the others hear of their deadline."""
    service.script = [(0.1, ServerFault("users", 503, 2.0))]
    ask = protect().ask

    async def wait(seconds):
        with within(seconds):
            return await outcome(ask(call()))

    async def story():
        return await asyncio.gather(wait(1.0), wait(4.0), wait(1.0))

    assert run(story()) == ["DeadlineExceeded", {"k": "k v1"}, "DeadlineExceeded"]
    assert len(service.asked) == 2


def test_an_old_value_is_renewed_however_soon_its_caller_leaves(protect, service):
    """His answer is the old one; the repeat comes when the service said."""
    ask = protect().ask

    async def story():
        with within():
            await outcome(ask(call()))
        service.script = [ServerFault("users", 503, 2.0)]
        with within(1.0):
            assert await outcome(ask(call())) == {"k": "k v1"}
        await asyncio.sleep(3.0)
        assert len(service.asked) == 3

    run(story())


def test_the_window_and_the_reset_are_two_things(protect, service):
    """Failures count for ten seconds; an open breaker stays so for thirty."""
    service.script = [ServerFault("users", 503)] * 20
    protected = protect(retries=0)

    async def story():
        for _ in range(9):
            with within():
                await outcome(protected.ask(call()))
        await asyncio.sleep(11.0)
        service.script = [0.0] + [ServerFault("users", 503)] * 9
        for _ in range(9):
            with within():
                await outcome(protected.ask(call()))
        return protected.breaker.state

    assert run(story()) == "closed"


def test_a_cancellation_at_any_moment_leaves_nothing_behind(protect, service):
    """At every step on the way in, in half-open and closed, reading and writing."""
    for method in ("GET", "POST"):
        for steps in range(1, 30):
            protected = protect(consecutive=1, reset=1.0, retries=0)
            service.script = [ServerFault("users", 503), 0.01, 0.0]

            async def story(protected=protected, method=method, steps=steps):
                with within():
                    await outcome(protected.ask(call()))
                await asyncio.sleep(1.2)
                with within():
                    task = asyncio.create_task(outcome(protected.ask(call(method=method))))
                    for _ in range(steps):
                        await asyncio.sleep(0)
                    task.cancel()
                    await asyncio.wait([task])
                await asyncio.sleep(0.1)
                assert (protected.bulkhead.in_flight, protected.flights.in_flight) == (0, 0)
                with within():
                    assert isinstance(await outcome(protected.ask(call())), dict)
                assert protected.breaker.state == "closed"

            run(story())


def test_a_subscriber_that_raises_harms_no_call(service):
    """Whatever is announced."""

    def broken(event):
        raise RuntimeError(event)

    reported = []
    events = Events(reported.append)
    events.subscribe(broken)
    shared = Shared(ByteCache(), events, VirtualClock())
    ask = standard_pipeline("users", service, Numbers(), shared).ask

    async def story():
        with within():
            return await outcome(ask(call()))

    assert run(story()) == {"k": "k v1"}
    assert reported
