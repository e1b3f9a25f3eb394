"""The order and the numbers, word for word, and what the policies share."""

import asyncio

import pytest

from datasources.errors import ServerFault
from datasources.events import Events, RetryScheduled
from datasources.resilience.cache import ByteCache
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
        "ReadYourWrites",
        "FreshCache(0 s)",
        "StaleWhileRevalidate(0.15 s)",
        "SingleFlight(5 s)",
        "StaleFallback(300 s)",
        "Retry(3 of idempotent calls, 10% + 1/s)",
        "BreakerPeek",
        "Bulkhead(64 + 128)",
        "Breaker(50% of ≥10, 10 in a row, 30 s)",
        "AttemptEvents",
        "AttemptTimeout(read 3 s, write 10 s)",
        "send",
    ]


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
