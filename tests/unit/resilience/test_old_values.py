"""FreshCache, StaleWhileRevalidate, StaleFallback and ReadYourWrites, as they stand in line."""

import asyncio

import pytest
from msgspec.structs import replace

from datasources.errors import (
    AttemptTimedOut,
    BadReply,
    BulkheadFull,
    CircuitOpen,
    DeadlineExceeded,
    Forbidden,
    NotFound,
    Rejected,
    ServerFault,
    TryLater,
    Unreachable,
)
from datasources.events import FallbackServed
from datasources.resilience.cache import ByteCache
from datasources.resilience.fresh_cache import FreshCache
from datasources.resilience.last_good import LastGood
from datasources.resilience.pipeline import Pipeline
from datasources.resilience.single_flight import SingleFlight
from datasources.resilience.stale_fallback import StaleFallback
from datasources.resilience.stale_while_revalidate import StaleWhileRevalidate
from datasources.resilience.writes import ReadYourWrites, Writes
from datasources.sourced import Origin, Reason
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import VirtualClock, run

FAULT = ServerFault("users", 503)


@pytest.fixture
def pipeline(events, service):
    """The outer half of the standard pipeline, with five seconds of freshness."""
    clock = VirtualClock()
    writes = Writes()
    last_good = LastGood(
        ByteCache(), writes, fresh=5.0, stale=60.0, clock=clock, uniform=lambda low, high: high
    )
    return Pipeline(
        ReadYourWrites(writes),
        FreshCache(last_good),
        StaleWhileRevalidate(last_good, patience=0.15, events=events),
        SingleFlight(budget=5.0, writes=writes, clock=clock),
        StaleFallback(last_good),
        send=service,
    )


async def shown(pipeline, asked=None, **operation):
    """Values with their origin and reason, by key; or the name of the error."""
    with within(**operation):
        try:
            reply = await pipeline(asked or call())
        except Exception as exc:  # noqa: BLE001 - the name is the outcome
            return type(exc).__name__
    parts = {
        key: (part.value, part.origin.value, part.reason and part.reason.value, part.age)
        for key, part in reply.parts.items()
    }
    return (parts, type(reply.failure).__name__) if reply.failure else parts


def test_within_its_freshness_nobody_asks_again(pipeline, service):
    """Live, then from the cache, then live again after five seconds."""

    async def story():
        first = await shown(pipeline)
        await asyncio.sleep(4.9)
        second = await shown(pipeline)
        await asyncio.sleep(0.2)
        return first, second, await shown(pipeline)

    first, second, third = run(story())
    assert first == {"k": ("k v1", "LIVE", None, 0.0)}
    assert second["k"][:3] == ("k v1", "CACHE", None)
    assert second["k"][3] == pytest.approx(4.9)
    assert third == {"k": ("k v2", "LIVE", None, 0.0)}


def test_only_what_is_missing_is_asked_for(pipeline, service):
    """A batch of three of which two are fresh."""

    async def story():
        await shown(pipeline, call("a", "b"))
        return await shown(pipeline, call("a", "b", "c"))

    answer = run(story())
    assert {key: part[1] for key, part in answer.items()} == {
        "a": "CACHE",
        "b": "CACHE",
        "c": "LIVE",
    }
    assert service.asked == [("a", "b"), ("c",)]


def test_a_failing_rest_leaves_what_is_fresh(pipeline, service):
    """The others carry the failure."""
    service.script = [0.0, FAULT]

    async def story():
        await shown(pipeline, call("a"))
        return await shown(pipeline, call("a", "b"))

    assert run(story()) == ({"a": ("a v1", "CACHE", None, 0.0)}, "ServerFault")


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Unreachable("users"), "UNREACHABLE"),
        (AttemptTimedOut("users", 3.0), "TIMEOUT"),
        (FAULT, "SERVER_ERROR"),
        (BadReply("users"), "BAD_REPLY"),
        (CircuitOpen("users"), "CIRCUIT_OPEN"),
        (BulkheadFull("users"), "OVERLOADED"),
        (DeadlineExceeded("users"), "DEADLINE"),
        (TryLater("users", 429), "OVERLOADED"),
        (Rejected("users", 400), "BAD_REPLY"),
    ],
)
def test_the_last_good_value_stands_in_for_every_failure(
    pipeline, service, announced, failure, reason
):
    """Marked stale, with its age and the reason; and announced."""
    service.script = [0.0, failure]

    async def story():
        await shown(pipeline)
        await asyncio.sleep(20.0)
        return await shown(pipeline)

    assert run(story()) == {"k": ("k v1", "STALE", reason, 20.0)}
    assert announced == [
        FallbackServed(service="users", operation="by_id", reason=Reason(reason), age=20.0)
    ]


@pytest.mark.parametrize("failure", [FAULT, CircuitOpen("users"), TryLater("users", 429)])
def test_without_one_the_failure_is_the_answer(pipeline, service, failure):
    """Nothing is made up."""
    service.script = [failure]
    assert run(shown(pipeline)) == type(failure).__name__


def test_after_its_time_an_old_value_is_worth_nothing(pipeline, service):
    """A minute here."""
    service.script = [0.0, FAULT]

    async def story():
        await shown(pipeline)
        await asyncio.sleep(60.1)
        return await shown(pipeline)

    assert run(story()) == "ServerFault"


@pytest.mark.parametrize("refusal", [NotFound("users"), Forbidden("users")])
def test_a_refusal_is_passed_on_and_purges(pipeline, service, refusal):
    """What is gone or forbidden is not shown again when the service fails later."""
    service.script = [0.0, refusal, FAULT]

    async def story():
        await shown(pipeline)
        await asyncio.sleep(6.0)
        return await shown(pipeline), await shown(pipeline)

    assert run(story()) == (type(refusal).__name__, "ServerFault")


def test_one_key_that_a_service_no_longer_knows_is_forgotten(pipeline, service):
    """The others of the batch are kept."""
    service.script = [0.0, {"a"}, FAULT]

    async def story():
        await shown(pipeline, call("a", "b"))
        await asyncio.sleep(6.0)
        gone = await shown(pipeline, call("a", "b"))
        await asyncio.sleep(6.0)
        return list(gone), await shown(pipeline, call("a", "b"))

    kept, later = run(story())
    assert kept == ["a"]
    assert later == ({"a": ("a v2", "STALE", "SERVER_ERROR", 6.0)}, "ServerFault")


def test_whoever_has_an_old_value_waits_a_moment_only(pipeline, service, announced):
    """150 ms; the slow answer renews what is kept."""
    service.script = [0.0, 2.0]

    async def story():
        loop = asyncio.get_running_loop()
        await shown(pipeline)
        await asyncio.sleep(6.0)
        started = loop.time()
        stale = await shown(pipeline)
        waited = round(loop.time() - started, 3)
        await asyncio.sleep(2.0)
        return waited, stale["k"][:3], (await shown(pipeline))["k"][:3]

    assert run(story()) == (
        0.15,
        ("k v1", "STALE", "REVALIDATING"),
        ("k v2", "CACHE", None),
    )
    assert [event.reason for event in announced] == [Reason.REVALIDATING]


def test_an_answer_within_the_moment_is_live(pipeline, service):
    """140 ms are worth waiting for."""
    service.script = [0.0, 0.14]

    async def story():
        await shown(pipeline)
        await asyncio.sleep(6.0)
        return await shown(pipeline)

    assert run(story()) == {"k": ("k v2", "LIVE", None, 0.0)}


def test_a_batch_with_one_unknown_key_is_waited_for(pipeline, service):
    """Nobody has anything to show in its place; when time is up, the rest is shown old."""
    service.script = [0.0, 2.0, 9.0]

    async def story():
        await shown(pipeline, call("a"))
        await asyncio.sleep(6.0)
        live = await shown(pipeline, call("a", "b"))
        await asyncio.sleep(6.0)
        return live, await shown(pipeline, call("a", "c"), seconds=3.0)

    live, late = run(story())
    assert {part[1] for part in live.values()} == {"LIVE"}
    parts, failure = late
    assert (list(parts), parts["a"][1:3], failure) == (
        ["a"],
        ("STALE", "DEADLINE"),
        "DeadlineExceeded",
    )


def test_at_a_near_deadline_the_old_value_is_served_in_time(pipeline, service):
    """Fifty milliseconds: thirty are waited, twenty kept to answer; the question goes on."""
    service.script = [0.0, 0.2]

    async def story():
        loop = asyncio.get_running_loop()
        await shown(pipeline)
        await asyncio.sleep(6.0)
        started = loop.time()
        stale = await shown(pipeline, seconds=0.05)
        waited = round(loop.time() - started, 3)
        await asyncio.sleep(0.2)
        return waited, stale["k"][:3], await shown(pipeline)

    assert run(story()) == (
        0.03,
        ("k v1", "STALE", "DEADLINE"),
        {"k": ("k v2", "CACHE", None, pytest.approx(0.03))},
    )


def test_a_fresh_value_needs_no_time_at_all(pipeline):
    """Nothing is left of the operation's time, and nothing need be asked."""

    async def story():
        await shown(pipeline)
        return await shown(pipeline, seconds=0.0)

    assert run(story()) == {"k": ("k v1", "CACHE", None, 0.0)}


def test_nobody_is_shown_what_he_has_just_changed(pipeline, service):
    """After his write a slow read is waited for; others still get theirs from the cache."""
    service.script = [0.0, 0.0, 0.0, 1.0]

    async def story():
        await shown(pipeline)
        await shown(pipeline, principal="u2")
        await shown(pipeline, call(method="POST"))
        return await shown(pipeline), (await shown(pipeline, principal="u2"))["k"][1]

    assert run(story()) == ({"k": ("k v4", "LIVE", None, 0.0)}, "CACHE")


def test_after_a_write_the_old_value_is_still_better_than_nothing(pipeline, service):
    """The service fails, or time is up: stale, and marked."""
    service.script = [0.0, FAULT, FAULT, 9.0]

    async def story():
        await shown(pipeline)
        assert await shown(pipeline, call(method="POST")) == "ServerFault"
        failed = await shown(pipeline)
        return failed["k"][:3], (await shown(pipeline))["k"][:3]

    assert run(story()) == (
        ("k v1", "STALE", "SERVER_ERROR"),
        ("k v1", "STALE", "DEADLINE"),
    )


def test_nobody_gets_what_was_kept_for_another(pipeline, service):
    """The second user's service fails, and the first user's value is no substitute."""
    service.script = [0.0, FAULT]

    async def story():
        await shown(pipeline)
        return await shown(pipeline, principal="u2")

    assert run(story()) == "ServerFault"


def test_writes_are_neither_kept_nor_replaced(pipeline, service):
    """A failed write is a failed write."""
    service.script = [0.0, FAULT]

    async def story():
        with within():
            return [await outcome(pipeline(call(method="POST"))) for _ in range(2)]

    assert run(story()) == [{"it": "it v1"}, "ServerFault"]


def test_origins_are_the_three_of_the_graph():
    """Nothing else can be shown."""
    assert [origin.value for origin in Origin] == ["LIVE", "CACHE", "STALE"]


def test_a_value_that_expires_during_the_wait_is_waited_for(pipeline, service):
    """Asked a moment before its end: nothing is left to show, and there is time for the answer."""
    service.script = [0.0, 2.0]

    async def story():
        await shown(pipeline)
        await asyncio.sleep(59.9)
        return await shown(pipeline)

    assert run(story()) == {"k": ("k v2", "LIVE", None, 0.0)}
    assert len(service.asked) == 2


def test_what_was_asked_before_a_write_does_not_come_back_after_it(pipeline, service):
    """A slow read lands after a newer one: it is neither kept nor served later."""
    service.script = [0.0, 1.0, 0.0, 0.0, FAULT]

    async def story():
        await shown(pipeline)
        await asyncio.sleep(6.0)
        slow = asyncio.create_task(shown(pipeline))
        await asyncio.sleep(0.1)
        await shown(pipeline, call(method="POST"))
        newer = await shown(pipeline)
        await asyncio.sleep(1.0)
        await slow
        await asyncio.sleep(6.0)
        return newer["k"][0], (await shown(pipeline))["k"][:2]

    newer, later = run(story())
    assert later == (newer, "STALE")


def test_a_refusal_from_before_a_write_purges_nothing(pipeline, service):
    """The thing was made meanwhile."""
    service.script = [(1.0, NotFound("users")), 0.0, 0.0, FAULT]

    async def story():
        slow = asyncio.create_task(shown(pipeline))
        await asyncio.sleep(0.1)
        await shown(pipeline, call(method="POST"))
        await shown(pipeline)
        assert await slow == "NotFound"
        await asyncio.sleep(6.0)
        return (await shown(pipeline))["k"][1]

    assert run(story()) == "STALE"


def test_a_batch_that_fails_says_so_for_what_nobody_has(pipeline, service):
    """Fresh, old and unknown at once: the unknown one carries the failure."""
    service.script = [0.0, 0.0, FAULT]

    async def story():
        await shown(pipeline, call("old"))
        await asyncio.sleep(5.1)
        await shown(pipeline, call("new"))
        return await shown(pipeline, call("new", "old", "never"))

    parts, failure = run(story())
    assert ({key: part[1] for key, part in parts.items()}, failure) == (
        {"new": "CACHE", "old": "STALE"},
        "ServerFault",
    )


def test_each_caller_who_is_given_an_old_value_is_announced(pipeline, service, announced):
    """Five callers, one failing question; nobody is announced who got none."""
    service.script = [0.0, (0.1, FAULT), FAULT]

    async def story():
        await shown(pipeline)
        await asyncio.sleep(6.0)
        await asyncio.gather(*(shown(pipeline) for _ in range(5)))
        await shown(pipeline, principal="u2")

    run(story())
    assert [event.reason for event in announced] == [Reason.SERVER_ERROR] * 5


def test_what_cannot_be_split_is_asked_for_whole(pipeline, service):
    """Part of it is fresh, and nothing is taken for unknown without asking."""

    async def story():
        await shown(pipeline, call("a"))
        return await shown(pipeline, replace(call("a", "b"), narrow=None))

    assert {key: part[1] for key, part in run(story()).items()} == {"a": "LIVE", "b": "LIVE"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_whatever_may_change_something_is_a_write(pipeline, method):
    """Also what may be repeated."""

    async def story():
        await shown(pipeline)
        await shown(pipeline, call(method=method))
        return (await shown(pipeline))["k"][1]

    assert run(story()) == "LIVE"


def test_without_an_old_value_a_spent_deadline_is_told(pipeline, service):
    """By its own name."""
    service.script = [9.0]
    assert run(shown(pipeline, seconds=1.0)) == "DeadlineExceeded"
