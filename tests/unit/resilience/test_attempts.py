"""TimeToAsk, AttemptTimeout and AttemptEvents."""

import asyncio

import pytest
from msgspec.structs import fields, replace

from datasources.errors import NoTimeToAsk, ServerFault
from datasources.events import AttemptFinished
from datasources.journal import Journal
from datasources.resilience.attempt_events import AttemptEvents
from datasources.resilience.attempt_timeout import AttemptTimeout
from datasources.resilience.cache import ByteCache
from datasources.resilience.pipeline import Pipeline
from datasources.resilience.standard import Numbers, Shared, standard_pipeline
from datasources.resilience.time_to_ask import TimeToAsk
from datasources.scope import Scope, entered
from tests.unit.resilience.stories import call, outcome, within
from tests.virtual_time import VirtualClock, run


@pytest.mark.parametrize(
    ("method", "takes", "due_in", "result", "after"),
    [
        ("GET", 2.9, 20.0, {"k": "k v1"}, 2.9),
        ("GET", 60.0, 20.0, "AttemptTimedOut", 3.0),
        ("POST", 9.9, 20.0, {"it": "it v1"}, 9.9),
        ("POST", 60.0, 20.0, "AttemptTimedOut", 10.0),
        ("GET", 60.0, 1.0, "DeadlineExceeded", 0.98),
    ],
)
def test_how_long_an_attempt_may_take(service, method, takes, due_in, result, after):
    """Three seconds to read, ten to write, less at the deadline: which is no evidence then."""
    policy = AttemptTimeout(clock=VirtualClock())
    service.script = [takes]

    async def story():
        with within(due_in):
            met = await outcome(policy(call(method=method), service))
        return met, round(asyncio.get_running_loop().time() - 1000.0, 3)

    assert run(story()) == (result, after)
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("due_in", "result", "asked"),
    [(0.021, {"it": "it v1"}, 1), (0.02, "NoTimeToAsk", 0), (0.0, "NoTimeToAsk", 0)],
)
def test_nothing_is_asked_when_the_time_is_over(service, due_in, result, asked):
    """To the instant; and what was not sent is not in doubt, a write neither."""
    policy = TimeToAsk(clock=VirtualClock())

    async def story():
        with within(due_in):
            # As in a pipeline, where it is called by the policy around it.
            return await outcome(Pipeline(policy, send=service)(call(method="POST")))

    async def awaited():
        try:
            return await story()
        except NoTimeToAsk as error:
            return type(error).__name__

    assert run(awaited()) == result
    assert len(service.asked) == asked


def test_what_was_not_sent_is_not_told_of(service, events, announced):
    """A call whose time went while it waited for a slot: no attempt, and nothing to the breaker."""
    service.script = [0.5]
    shared = Shared(ByteCache(), events, VirtualClock())
    protected = standard_pipeline("users", service, Numbers(bulkhead_limit=1), shared)
    journal = Journal()

    async def late():
        with within(0.02) as scope, entered(replace(scope, journal=journal)):
            return await outcome(protected.ask(call(method="POST")))

    assert run(late()) == "NoTimeToAsk"
    assert [len(question.attempts) for question in journal.questions] == [0]
    assert (announced, service.asked) == ([], [])


def test_the_service_is_told_what_this_attempt_has_left(service):
    """The deadline inside is the attempt's, and the operation's again afterwards."""
    policy = AttemptTimeout(clock=VirtualClock())

    async def story():
        with within(5.0) as scope:
            await policy(call(), service)
            await policy(call(method="POST"), service)
            return scope.deadline

    assert run(story()) == 1005.0
    assert [scope.deadline for scope in service.scopes] == [1003.0, 1004.98]


def test_only_the_deadline_changes():
    """Whatever else an operation has, its attempts have too."""
    scope = Scope(deadline=1.0, request_id="r", principal="u1", traceparent="t", journal=Journal())
    assert scope.due(2.0) == replace(scope, deadline=2.0)
    assert all(getattr(scope, field.name) for field in fields(Scope))


def test_a_timeout_of_the_call_itself_is_not_taken_for_ours(service):
    """A TimeoutError from within passes as it is."""
    service.script = [TimeoutError()]

    async def story():
        with within():
            return await outcome(AttemptTimeout(clock=VirtualClock())(call(), service))

    assert run(story()) == "TimeoutError"


def test_every_attempt_is_announced_with_what_came_of_it(service, events, announced):
    """An answer, a failure, a bug, a cancellation."""
    policy = AttemptEvents(events=events, clock=VirtualClock())
    service.script = [0.25, (0.5, ServerFault("users", 503)), RuntimeError(), 9.0]
    second = call(attempt=2)

    async def story():
        with within():
            for _ in range(3):
                await outcome(policy(second, service))
            task = asyncio.create_task(policy(call(), service))
            await asyncio.sleep(1.0)
            task.cancel()
            await asyncio.wait([task])

    run(story())
    assert [(event.outcome, event.seconds) for event in announced] == [
        ("ok", 0.25),
        ("ServerFault", 0.5),
        ("RuntimeError", 0.0),
        ("cancelled", 1.0),
    ]
    assert isinstance(announced[0], AttemptFinished)
    assert [event.attempt for event in announced] == [2, 2, 2, 1]
