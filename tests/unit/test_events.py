"""Events, Scope and the clock."""

import pytest

from datasources.clock import SystemClock
from datasources.events import BreakerChanged, Events
from datasources.scope import Scope, current_scope, entered

CHANGE = BreakerChanged(service="users", old="closed", new="open")


def test_everybody_is_told_in_order_even_if_somebody_raises():
    """And what was raised is reported."""
    reported, told = [], []
    events = Events(reported.append)
    broken = RuntimeError()

    def raises(event):
        raise broken

    events.subscribe(lambda event: told.append(("first", event)))
    events.subscribe(raises)
    events.subscribe(lambda event: told.append(("last", event)))
    events.publish(CHANGE)
    assert told == [("first", CHANGE), ("last", CHANGE)]
    assert reported == [broken]


def test_a_scope_ends_with_its_block():
    """Outside of any there is none."""
    outer = Scope(deadline=1.0, request_id="a")
    with pytest.raises(LookupError):
        current_scope()
    with entered(outer):
        with entered(Scope(deadline=2.0, request_id="b")):
            assert current_scope().request_id == "b"
        assert current_scope() is outer


def test_the_systems_clock_is_aware_and_moves_on():
    """UTC on the wall; never back."""
    clock = SystemClock()
    assert clock.now().utcoffset().total_seconds() == 0
    assert clock.monotonic() <= clock.monotonic()
