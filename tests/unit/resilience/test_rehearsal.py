"""A rehearsal answers from what is kept, and leaves no trace."""

import asyncio

import pytest
from msgspec.structs import replace

from datasources.errors import LocalRejection
from datasources.journal import Journal, Kept
from datasources.resilience.cache import ByteCache
from datasources.resilience.rehearsal import Rehearsed
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from datasources.scope import current_scope, entered
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import VirtualClock, run


class House:
    """The standard pipeline, and what it is made of."""

    def __init__(self, service, events, cache, **numbers):
        shared = Shared(cache, events, VirtualClock())
        self.protected = standard_pipeline("users", service, Numbers(**numbers), shared)
        self.ask = self.protected.ask

    async def live(self, *keys, **changes):
        with within():
            return await outcome(self.ask(call(*keys, **changes)))

    async def rehearse(self, asked):
        """What is said to be kept, and what is answered."""
        journal = Journal(rehearsal=True)
        with within(), entered(replace(current_scope(), journal=journal)):
            answer = await outcome(self.ask(asked))
        [question] = journal.questions
        assert question.attempts == []
        return list(question.rehearsed), answer


@pytest.fixture
def house(service, events):
    return House(service, events, ByteCache(), fresh=10.0, stale=100.0)


def test_fresh_old_and_absent(house, service):
    """Each thing by its age; what there is answers, in one pass."""

    async def story():
        await house.live("old")
        await asyncio.sleep(20.0)
        await house.live("new")
        service.asked.clear()
        return await house.rehearse(call("new", "old", "none"))

    kept, answer = run(story())
    assert kept == [Kept.FRESH, Kept.STALE, Kept.ABSENT]
    assert answer == {"old": "old v1", "new": "new v2"}
    assert service.asked == []


def test_when_nothing_is_kept_nobody_is_asked(house, service, announced):
    """It is refused here, and nothing hears of it: no policy, no subscriber."""

    async def story():
        kept, answer = await house.rehearse(call())
        assert house.protected.flights.in_flight == 0
        return kept, answer

    assert run(story()) == ([Kept.ABSENT], "Rehearsed")
    assert (service.asked, announced) == ([], [])


def test_what_is_not_kept_is_not_taken_for_missing(house):
    """Of a batch, the rest has the refusal: nobody has said that it does not exist."""

    async def story():
        await house.live("a")
        with within(), entered(replace(current_scope(), journal=Journal(rehearsal=True))):
            some = await house.ask(call("a", "b"))
            every = await house.ask(call("a"))
        return some.failure, every.failure

    some, every = run(story())
    assert isinstance(some, Rehearsed)
    assert every is None


def test_the_refusal_is_one_of_ours():
    """So whoever meets it treats it as what it is: nothing was sent."""
    assert issubclass(Rehearsed, LocalRejection)


def test_the_refusal_names_its_service(service, events):
    """As every error of a datasource; with what is kept it says why the rest is missing."""
    house = House(service, events, ByteCache())
    journal = Journal(rehearsal=True)

    async def story():
        await house.live("a")
        with within(), entered(replace(current_scope(), journal=journal)):
            reply = await house.ask(call("a", "b"))
        return set(reply.parts), type(reply.failure), reply.failure.service

    assert run(story()) == ({"a"}, Rehearsed, "users")


def test_what_is_too_old_is_absent(house):
    """Past its staleness it is worth nothing, here as elsewhere."""

    async def story():
        await house.live("k")
        await asyncio.sleep(100.0)
        return await house.rehearse(call())

    assert run(story()) == ([Kept.ABSENT], "Rehearsed")


def test_what_lasts_longer_fresh_than_old_is_fresh(service, events):
    """Freshness needs no staleness."""
    house = House(service, events, ByteCache(), fresh=10.0, stale=0.0)

    async def story():
        await house.live("k")
        await asyncio.sleep(5.0)
        return await house.rehearse(call())

    assert run(story())[0] == [Kept.FRESH]


def test_what_the_caller_has_superseded_is_not_fresh(house):
    """It is better than nothing, as in earnest."""

    async def story():
        await house.live("k")
        await house.live(method="POST")
        return await house.rehearse(call())

    assert run(story())[0] == [Kept.STALE]


def test_another_callers_is_not_seen(house):
    """Who explains sees what he would be served."""

    async def story():
        await house.live("k")
        journal = Journal(rehearsal=True)
        scope = within(principal="u2")
        with scope, entered(replace(current_scope(), journal=journal)):
            await outcome(house.ask(call()))
        return journal.questions[0].rehearsed

    assert run(story()) == (Kept.ABSENT,)


def test_looking_is_not_using(service, events):
    """The least recently used goes first, whoever has looked at it since."""
    cache = ByteCache(max_bytes=1_300)
    house = House(service, events, cache, fresh=10.0)

    async def story():
        await house.live("a")
        await house.live("b")
        assert len(cache) == 2
        await house.rehearse(call("a"))
        await house.live("c")
        return [(await house.rehearse(call(key)))[0] for key in "abc"]

    assert run(story()) == [[Kept.ABSENT], [Kept.FRESH], [Kept.FRESH]]


def test_a_write_is_not_rehearsed(house, service):
    """It is refused, and supersedes nothing."""

    async def story():
        await house.live("k")
        service.asked.clear()
        refused = await house.rehearse(call(method="POST"))
        return refused, (await house.rehearse(call()))[0]

    assert run(story()) == (([], "Rehearsed"), [Kept.FRESH])
    assert service.asked == []
