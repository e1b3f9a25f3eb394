from __future__ import annotations

import pytest

from bff.health import HealthBoard, Screen, report
from datasources import errors
from datasources.events import AttemptFinished, BreakerChanged, FallbackServed, RetryScheduled
from datasources.sourced import Reason
from tests.unit.graphql.little_graph import StoppedClock


def finished(outcome: str, service: str = "users") -> AttemptFinished:
    return AttemptFinished(
        service=service, operation="by_id", attempt=1, outcome=outcome, seconds=0.1
    )


STALE = FallbackServed(service="users", operation="by_id", reason=Reason.TIMEOUT, age=3.0)


def opened(new: str) -> BreakerChanged:
    return BreakerChanged(service="users", old="closed", new=new)


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
def board(clock):
    return HealthBoard(["users", "orders"], clock)


def users(board):
    [status, _] = board.statuses()
    assert status.name == "users"
    return status


def test_nothing_is_known_at_first(board):
    """All are shown, in their order, and nobody is blamed."""
    assert [status.name for status in board.statuses()] == ["users", "orders"]
    status = users(board)
    assert (status.breaker, status.last_success, status.failing_since) == ("closed", None, None)
    assert not status.serving_stale


def test_failing_since_the_first_failure(board, clock):
    """Later failures do not move it; a success ends it."""
    first = clock.now()
    board.record(finished("ServerFault"))
    clock.at += 5
    board.record(finished("Unreachable"))
    assert users(board).failing_since == first
    board.record(finished("ok"))
    assert (users(board).failing_since, users(board).last_success) == (None, clock.now())


@pytest.mark.parametrize("refusal", ["NotFound", "Forbidden", "Rejected", "TryLater"])
def test_a_refusal_is_an_answer(board, clock, refusal):
    """The service that says no is in good health."""
    board.record(finished("ServerFault"))
    board.record(finished(refusal))
    assert (users(board).failing_since, users(board).last_success) == (None, clock.now())


@pytest.mark.parametrize("outcome", ["cancelled", "DeadlineExceeded", "CircuitOpen"])
def test_what_we_cut_short_says_nothing(board, outcome):
    """Neither a success nor a failure of the service."""
    board.record(finished(outcome))
    assert (users(board).failing_since, users(board).last_success) == (None, None)


def test_every_error_of_an_attempt_is_known():
    """A new class of failure or refusal must be given a meaning here as well."""
    for kind in (
        *errors.UpstreamFailure.__subclasses__(),
        *errors.UpstreamRefusal.__subclasses__(),
    ):
        board = HealthBoard(["users"], StoppedClock())
        board.record(finished(kind.__name__))
        [status] = board.statuses()
        assert (status.failing_since is None) is issubclass(kind, errors.UpstreamRefusal)
        assert (status.last_success is None) is issubclass(kind, errors.UpstreamFailure)


def test_stale_until_a_newer_answer(board):
    """An old value served before the last answer does not count."""
    board.record(STALE)
    assert users(board).serving_stale
    board.record(finished("ServerFault"))
    assert users(board).serving_stale
    board.record(finished("ok"))
    assert not users(board).serving_stale


def test_the_breaker_is_shown_as_it_is(board):
    """Whatever state it moved to last."""
    for state in ("open", "half-open", "closed"):
        board.record(opened(state))
        assert users(board).breaker == state


def test_services_do_not_mix(board):
    """One fails; the other, and those that nobody named, are not touched."""
    board.record(finished("ServerFault"))
    board.record(finished("ServerFault", "weather"))
    board.record(
        RetryScheduled(service="orders", operation="recent", retry=1, delay=0.1, cause="x")
    )
    [_, orders] = board.statuses()
    assert orders.failing_since is None


SCREENS = {
    "profile": Screen(("users",)),
    "history": Screen(("users", "orders")),
    "about": Screen(()),
    "renaming": Screen(("users",), writes=True),
}


@pytest.mark.parametrize(
    ("events", "status", "screens"),
    [
        ([], "ok", ["live", "live", "live", "live"]),
        ([finished("ok"), STALE], "degraded", ["stale", "stale", "live", "live"]),
        ([STALE, finished("ok")], "ok", ["live", "live", "live", "live"]),
        ([finished("ServerFault")], "degraded", ["down", "down", "live", "down"]),
        ([finished("ServerFault"), STALE], "degraded", ["stale", "stale", "live", "down"]),
        ([opened("open"), STALE], "degraded", ["stale", "stale", "live", "down"]),
        ([opened("half-open")], "degraded", ["down", "down", "live", "down"]),
        (
            [finished("ServerFault"), STALE, finished("Unreachable", "orders")],
            "degraded",
            ["stale", "down", "live", "down"],
        ),
    ],
)
def test_what_works(board, events, status, screens):
    """A screen is as good as the worst of the services that it needs; no write is ever old."""
    for event in events:
        board.record(event)
    said = report(board.statuses(), SCREENS)
    assert said["status"] == status
    assert list(said["screens"].values()) == screens


def test_how_a_service_is_described(board, clock):
    """Instants are RFC 3339 in UTC, as everywhere; no address is told."""
    board.record(finished("ok"))
    board.record(finished("BadReply"))
    assert report(board.statuses(), {})["services"][0] == {
        "name": "users",
        "breaker": "closed",
        "lastSuccess": "1970-01-01T00:16:40Z",
        "failingSince": "1970-01-01T00:16:40Z",
        "servingStale": False,
    }
