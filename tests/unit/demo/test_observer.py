"""What the demo's page knows of the services."""

import pytest

from bff.demo.observer import Observer
from datasources.events import AttemptFinished, BreakerChanged
from tests.virtual_time import HandClock


def attempt(number, service="users", outcome="ok"):
    return AttemptFinished(
        service=service, operation="by_id", attempt=number, outcome=outcome, seconds=0.5
    )


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def observer(clock):
    return Observer({"users": 10.0, "orders": 10.0}, clock, remembered=3)


def test_the_last_calls_newest_first(observer, clock):
    """Bounded, of each service; a number is given once."""
    for number in range(5):
        observer.record(attempt(number))
    observer.record(attempt(9, "orders", "ServerFault"))
    assert [(call.attempt, call.number) for call in observer.calls("users")] == [
        (4, 5),
        (3, 4),
        (2, 3),
    ]
    [call] = observer.calls("orders")
    assert (call.outcome, call.number, call.ended_at) == ("ServerFault", 6, clock.now())


def test_an_open_breaker_has_a_time_to_wait(observer, clock):
    """With the longest jitter; never less than nothing."""
    observer.record(BreakerChanged(service="users", old="closed", new="open"))
    assert observer.closed_to_calls("users") == pytest.approx(11.0)
    clock.time += 4.0
    assert observer.closed_to_calls("users") == pytest.approx(7.0)
    clock.time += 40.0
    assert observer.closed_to_calls("users") == 0.0
    [users, orders] = observer.statuses()
    assert (users.breaker, orders.breaker) == ("open", "closed")


def test_a_service_that_nobody_named_is_ignored(observer):
    """Nothing of it is kept."""
    observer.record(attempt(1, "weather"))
    assert [status.name for status in observer.statuses()] == ["users", "orders"]
    assert not observer.calls("users")
