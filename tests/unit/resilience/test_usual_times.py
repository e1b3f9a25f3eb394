"""What an answer usually takes."""

import pytest

from datasources.events import AttemptFinished, BreakerChanged
from datasources.resilience.usual_times import UsualTimes


def finished(seconds, outcome="ok", service="users", operation="by_id"):
    return AttemptFinished(
        service=service, operation=operation, attempt=1, outcome=outcome, seconds=seconds
    )


def after(*events):
    usual = UsualTimes()
    for event in events:
        usual.record(event)
    return usual.of("users", "by_id")


def test_half_of_the_answers_take_longer():
    """One that took very long changes nothing."""
    assert after(*map(finished, [0.1, 0.3, 60.0, 0.2, 0.4])) == 0.3


@pytest.mark.parametrize("known", range(5))
def test_too_little_is_known(known):
    """Four answers are not enough."""
    assert after(*map(finished, [0.1] * known)) is None


def test_only_the_latest_count():
    """Eight of the last fifteen, quicker or slower."""
    assert after(*map(finished, [1.0] * 100 + [0.1] * 7)) == 1.0
    assert after(*map(finished, [1.0] * 100 + [0.1] * 8)) == 0.1
    assert after(*map(finished, [0.1] * 100 + [1.0] * 7)) == 0.1
    assert after(*map(finished, [0.1] * 100 + [1.0] * 8)) == 1.0


@pytest.mark.parametrize("outcome", ["cancelled", "ServerFault", "NotFound", "AttemptTimedOut"])
def test_only_answers_count(outcome):
    """A failure may be quick or slow for reasons of its own."""
    others = [finished(9.0, outcome)] * 20
    assert after(*map(finished, [0.1] * 5), *others) == 0.1


def test_operations_are_known_one_by_one():
    """Other operations and services, and other events, do not count."""
    others = [finished(9.0, operation="all"), finished(9.0, service="orders")] * 20
    changed = BreakerChanged(service="users", old="closed", new="open")
    assert after(*others, changed) is None
    assert after(*others, *map(finished, [0.1] * 5)) == 0.1
