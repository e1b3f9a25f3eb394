"""The breaker beside a model of it, written from decisions 0004, 0015 and 0019."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from datasources.errors import CircuitOpen
from datasources.events import BreakerChanged, Events
from datasources.resilience.breaker import Breaker, Permit
from tests.models.effort import QUICK, THOROUGH
from tests.virtual_time import HandClock

WINDOW = 10
SLOW = 2.5
LEASE = 30.0
REST = 1.0


@dataclass(frozen=True)
class Outcome:
    """What a call came to that counts; `seconds` is None where they are not judged."""

    at: float
    failed: bool
    seconds: float | None


class Model:
    """A list of outcomes, a state, and the words of the decisions."""

    def __init__(self, ratio, minimum, consecutive, reset, slow_ratio):
        self.ratio = ratio
        self.minimum = minimum
        self.consecutive = consecutive
        self.reset = reset
        self.slow_ratio = slow_ratio
        self.state = "closed"
        self.changes = []
        self.outcomes = []
        self.row = 0
        self.probe = None
        self.probe_lost_at = 0.0
        self.inconclusive_at = -LEASE
        self.opens_again_at = 0.0
        self.valid = set()

    def admits(self, now, *, has_old):
        if self.state == "open":
            return now >= self.opens_again_at
        if self.state == "half-open":
            if self.probe is not None:
                return now >= self.probe_lost_at
            return not has_old or now >= self.inconclusive_at + REST
        return True

    def take(self, now, permit):
        if self.state == "open":
            self.change("half-open", now)
        if self.state == "half-open":
            self.valid.clear()
            self.probe = permit
            self.probe_lost_at = now + LEASE
        self.valid.add(permit)

    def settle(self, now, permit, *, failed=False, shown=True, seconds=None, stretch=1.0):
        """*permit* is settled; late ones count for nothing."""
        if permit not in self.valid:
            return
        self.valid.discard(permit)
        is_probe = permit is self.probe
        if not shown:
            if is_probe:
                self.probe = None
                self.inconclusive_at = now
            return
        slow = seconds is not None and seconds >= SLOW
        if is_probe:
            self.change("open" if failed or slow else "closed", now, stretch)
            return
        self.row = self.row + 1 if failed else 0
        self.outcomes.append(Outcome(now, failed, seconds))
        if self.row >= self.consecutive or self.too_many(now):
            self.change("open", now, stretch)

    def too_many(self, now):
        lately = [outcome for outcome in self.outcomes if now - outcome.at < WINDOW]
        failed = sum(outcome.failed for outcome in lately)
        judged = [o.seconds for o in lately if not o.failed and o.seconds is not None]
        slow = sum(seconds >= SLOW for seconds in judged)
        return (len(lately) >= self.minimum and failed / len(lately) >= self.ratio) or (
            len(judged) >= self.minimum and slow / len(judged) >= self.slow_ratio
        )

    def change(self, new, now, stretch=1.0):
        self.changes.append((self.state, new))
        self.state = new
        self.valid.clear()
        self.probe = None
        if new == "open":
            self.opens_again_at = now + self.reset * stretch
        elif new == "closed":
            self.outcomes.clear()
            self.row = 0


class Histories(RuleBasedStateMachine):
    """Permits taken and settled in any order, while time passes."""

    @initialize(
        ratio=st.sampled_from([0.25, 0.5, 1.0]),
        minimum=st.sampled_from([1, 3, 6]),
        consecutive=st.sampled_from([1, 3, 5]),
        reset=st.sampled_from([1.0, 5.0, 30.0]),
        slow_ratio=st.sampled_from([0.25, 0.5, 1.0]),
    )
    def begin(self, ratio, minimum, consecutive, reset, slow_ratio):
        self.clock = HandClock()
        self.stretch = 1.0
        self.announced = []
        events = Events()
        events.subscribe(self.announced.append)
        self.breaker = Breaker(
            "users",
            failure_ratio=ratio,
            minimum_calls=minimum,
            window=WINDOW,
            consecutive=consecutive,
            reset=reset,
            slow=SLOW,
            slow_ratio=slow_ratio,
            events=events,
            clock=self.clock,
            uniform=self.uniform,
        )
        self.model = Model(ratio, minimum, consecutive, reset, slow_ratio)
        self.permits: list[Permit] = []

    def uniform(self, low, high):
        assert (low, high) == (1.0, 1.1)
        return self.stretch

    @rule(has_old=st.booleans(), times=st.integers(1, 4))
    def take(self, has_old, times):
        for _ in range(times):
            now = self.clock.time
            admitted = self.model.admits(now, has_old=has_old)
            assert self.breaker.would_admit(has_old=has_old) == admitted
            if not admitted:
                with pytest.raises(CircuitOpen):
                    self.breaker.acquire(has_old=has_old)
                continue
            permit = self.breaker.acquire(has_old=has_old)
            self.model.take(now, permit)
            self.permits.append(permit)

    def chosen(self, which):
        return self.permits.pop(which % len(self.permits))

    @precondition(lambda self: self.permits)
    @rule(
        which=st.integers(0, 9),
        seconds=st.sampled_from([None, 0.0, 2.4, 2.5, 9.0]),
        stretch=st.floats(1.0, 1.1),
    )
    def succeed(self, which, seconds, stretch):
        self.stretch = stretch
        permit = self.chosen(which)
        self.breaker.succeed(permit, seconds=seconds)
        self.model.settle(self.clock.time, permit, seconds=seconds, stretch=stretch)

    @precondition(lambda self: self.permits)
    @rule(which=st.integers(0, 9), stretch=st.floats(1.0, 1.1))
    def fail(self, which, stretch):
        self.stretch = stretch
        permit = self.chosen(which)
        self.breaker.fail(permit)
        self.model.settle(self.clock.time, permit, failed=True, stretch=stretch)

    @precondition(lambda self: self.permits)
    @rule(which=st.integers(0, 9))
    def release(self, which):
        permit = self.chosen(which)
        self.breaker.release(permit)
        self.model.settle(self.clock.time, permit, shown=False)

    @precondition(lambda self: self.permits)
    @rule(which=st.integers(0, 9))
    def lose(self, which):
        """Nobody will settle it."""
        self.chosen(which)

    @rule(seconds=st.sampled_from([1, 2, 5, 9, 10, 11, 29, 30]))
    def wait(self, seconds):
        """Whole tenths of the window, in which it is exact."""
        self.clock.time += seconds

    @precondition(lambda self: self.model.state == "open")
    @rule(early=st.booleans())
    def wait_to_reopen(self, early):
        """Until just before, or to the very instant; then on to a tenth of the window."""
        remaining = self.model.opens_again_at - self.clock.time
        if remaining <= 0.0:
            return
        at = self.clock.time
        self.clock.time = self.model.opens_again_at - (1e-6 if early else 0.0)
        assert self.breaker.would_admit() == (not early)
        self.clock.time = at + int(remaining) + 1

    @rule(new=st.sampled_from(["open", "closed"]), stretch=st.floats(1.0, 1.1))
    def somebody_else_moves_it(self, new, stretch):
        """By the handles of pybreaker, as an operator's tool would use them."""
        self.stretch = stretch
        {"open": self.breaker._machine.open, "closed": self.breaker._machine.close}[new]()
        self.model.change(new, self.clock.time, stretch)

    @invariant()
    def they_agree(self):
        if not hasattr(self, "model"):
            return
        now = self.clock.time
        assert self.breaker.state == self.model.state
        for has_old in (False, True):
            admits = self.model.admits(now, has_old=has_old)
            assert self.breaker.would_admit(has_old=has_old) == admits
        assert self.announced == [
            BreakerChanged(service="users", old=old, new=new) for old, new in self.model.changes
        ]


def test_the_breaker_does_as_its_model():
    """A few histories."""
    run_state_machine_as_test(Histories, settings=QUICK)


@pytest.mark.slow
def test_the_breaker_does_as_its_model_in_a_thousand_histories():
    """New ones every time."""
    run_state_machine_as_test(Histories, settings=THOROUGH)
