"""AttemptTimeout and AttemptEvents."""

import asyncio
from dataclasses import fields, replace

import pytest

from datasources.errors import ServerFault
from datasources.events import AttemptFinished
from datasources.journal import Journal
from datasources.resilience.attempt_events import AttemptEvents
from datasources.resilience.attempt_timeout import AttemptTimeout
from datasources.scope import Scope
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
        ("GET", 60.0, 0.02, "DeadlineExceeded", 0.0),
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
    assert len(service.asked) == (0 if after == 0.0 else 1)


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
