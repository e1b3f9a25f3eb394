"""Who may probe, and when: callers who have something to show are in no hurry."""

import asyncio

import pytest

from datasources.errors import BulkheadFull, CircuitOpen, DeadlineExceeded, ServerFault
from datasources.events import Events
from datasources.resilience.breaker import Breaker, BreakerPeek
from datasources.resilience.cache import ByteCache
from datasources.resilience.pipeline import Pipeline
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import VirtualClock, run

FAULT = ServerFault("users", 503)
OLD = {"has_old": True}


@pytest.fixture
def breaker(events):
    return Breaker("users", events=events, clock=VirtualClock(), uniform=lambda low, high: low)


@pytest.fixture
def ask(breaker, service):
    """Ask through a breaker, and say what came of it."""
    pipeline = Pipeline(BreakerPeek(breaker), breaker, send=service)

    async def ask(**changes):
        with within():
            return await outcome(pipeline(call(**changes)))

    return ask


async def opened(ask, service):
    """Until the breaker has opened, and would let a probe through."""
    service.script = [FAULT] * 10
    for _ in range(10):
        await ask()
    await asyncio.sleep(30.0)
    service.asked.clear()


async def inconclusive(ask):
    """A probe by somebody who goes away."""
    probe = asyncio.create_task(ask())
    await asyncio.sleep(0.1)
    probe.cancel()
    await asyncio.wait([probe])


def test_who_has_an_old_value_waits_a_second_after_a_probe_that_showed_nothing(
    ask, breaker, service
):
    """Refused until then, without a request; afterwards he is the probe."""

    async def story():
        await opened(ask, service)
        service.script = [60.0]
        await inconclusive(ask)
        assert breaker.state == "half-open"
        assert [await ask(**OLD) for _ in range(3)] == ["CircuitOpen"] * 3
        await asyncio.sleep(0.99)
        assert await ask(**OLD) == "CircuitOpen"
        assert len(service.asked) == 1
        await asyncio.sleep(0.01)
        return await ask(**OLD)

    assert run(story()) == {"k": "k v1"}
    assert breaker.state == "closed"


def test_who_has_nothing_may_probe_at_once(ask, breaker, service):
    """Also while the others wait."""

    async def story():
        await opened(ask, service)
        service.script = [60.0]
        await inconclusive(ask)
        assert await ask(**OLD) == "CircuitOpen"
        return await ask()

    assert run(story()) == {"k": "k v1"}


@pytest.mark.parametrize("error", [DeadlineExceeded("users"), BulkheadFull("users")])
def test_a_probe_that_we_cut_short_showed_nothing(ask, breaker, service, error):
    """As one that was cancelled."""

    async def story():
        await opened(ask, service)
        service.script = [error]
        return [await ask(), await ask(**OLD), await ask()]

    assert run(story()) == [type(error).__name__, "CircuitOpen", {"k": "k v1"}]


def test_the_first_probe_is_anybodys(ask, breaker, service):
    """Or a service that only those ask who have old values would never be found well."""

    async def story():
        await opened(ask, service)
        return await ask(**OLD)

    assert run(story()) == {"k": "k v1"}


def test_a_closed_breaker_throttles_nobody(ask, breaker, service):
    """Ten calls that showed nothing, then ten at once that fail, all sent."""

    async def story():
        service.script = [DeadlineExceeded("users")] * 10 + [FAULT] * 10
        return [await ask(**OLD) for _ in range(20)]

    assert run(story()) == ["DeadlineExceeded"] * 10 + ["ServerFault"] * 10
    assert (len(service.asked), breaker.state) == (20, "open")


def test_a_permit_is_refused_as_the_peek_refuses(breaker, service):
    """The rule holds for those who have waited for a slot as well."""

    async def story():
        for _ in range(10):
            breaker.fail(breaker.acquire())
        await asyncio.sleep(30.0)
        breaker.release(breaker.acquire())
        with pytest.raises(CircuitOpen):
            breaker.acquire(has_old=True)
        for policy in (breaker, BreakerPeek(breaker)):
            with within():
                assert await outcome(policy(call(**OLD), service)) == "CircuitOpen"
        assert breaker.acquire().probe

    run(story())


def test_the_whole_pipeline_tells_the_breaker_who_has_an_old_value(service):
    """Through the shared question: refreshing waits, and the newcomer's question is the probe."""
    shared = Shared(ByteCache(), Events(), VirtualClock())
    protected = standard_pipeline("users", service, Numbers(consecutive=1, retries=0), shared)

    async def ask(key):
        with within():
            return await outcome(protected.ask(call(key)))

    async def story():
        await ask("kept")
        service.script = [FAULT]
        await ask("other")
        await asyncio.sleep(33.1)
        service.script = [60.0]
        await inconclusive(lambda: ask("third"))
        assert protected.breaker.state == "half-open"
        service.asked.clear()
        assert await ask("kept") == {"kept": "kept v1"}
        assert service.asked == []
        assert await ask("other") == {"other": "other v2"}

    run(story())
