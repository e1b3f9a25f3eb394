"""Stop asking a service that keeps failing; let one call at a time find out whether it is well.

pybreaker holds the states, their storage, their transitions and the listeners. Its own call
paths do not fit asyncio (docs/decisions/0004-pybreaker-as-state-machine.md), so admission and
accounting are ours: a permit is taken before the await and settled after it, and no lock is held
in between.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

import pybreaker

from datasources.clock import Clock
from datasources.errors import CircuitOpen, UpstreamFailure, UpstreamRefusal
from datasources.events import BreakerChanged, Events
from datasources.resilience.pipeline import SAFE_METHODS, Call, Handler, Reply, V
from datasources.resilience.window import RollingWindow

_PROBE_LEASE = 30.0
_REOPEN_JITTER = 0.1
_REST = 1.0
"""Between a probe that showed nothing and the next by a caller who has an old value (seconds)."""


class Permit:
    """The right to make one call; settled once, and only in the state in which it was given."""

    __slots__ = ("generation", "probe")

    def __init__(self, generation: int, *, probe: bool) -> None:
        self.generation = generation
        self.probe = probe


class Breaker:
    """Open at a share of failures, at so many in a row, or when nearly every answer is slow.

    Only `UpstreamFailure` counts as failure; a refusal shows a service in good health; a local
    rejection or a cancellation shows nothing. What was asked before the last change of state
    counts for nothing either.

    Slow is an answer to a safe method, a refusal too, that took `slow` seconds or more. Slow ones
    are a share of such answers alone: a failure is no answer, and a write may take its time. A
    probe that is answered slowly opens again.

    A probe that ended without showing anything may be followed at once by another; but not for
    one second by a caller who has an old value to show, and is in no hurry.

    Args:
        name: The service.
        failure_ratio: Share of failed calls in the window that opens (0 to 1).
        minimum_calls: Fewest calls, or answers, in the window for a share to mean anything.
        window: Length of the rolling window (seconds).
        consecutive: Failures in a row that open, whatever the share.
        reset: Time open before a probe (seconds); lengthened at random by up to a tenth, so that
            many processes do not probe at once.
        slow: From when on an answer is slow (seconds).
        slow_ratio: Share of slow answers in the window that opens (0 to 1).
        events: Told of every change of state.
        clock: Replaced in tests.
        uniform: Replaced in tests.
    """

    def __init__(  # noqa: PLR0913 - seven numbers, a name and three seams
        self,
        name: str,
        *,
        failure_ratio: float = 0.5,
        minimum_calls: int = 10,
        window: float = 10.0,
        consecutive: int = 10,
        reset: float = 30.0,
        slow: float = 2.5,
        slow_ratio: float = 0.9,
        events: Events,
        clock: Clock,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._name = name
        self._failure_ratio = failure_ratio
        self._minimum_calls = minimum_calls
        self._reset = reset
        self._slow = slow
        self._slow_ratio = slow_ratio
        self._clock = clock
        self._uniform = uniform
        self._window = RollingWindow(window, 4, clock.monotonic)
        self._state = pybreaker.STATE_CLOSED
        self._generation = 0
        self._probe_until: float | None = None
        self._reopens_at = 0.0
        self._rests_until = 0.0
        self._consecutive = consecutive
        self._storage = pybreaker.CircuitMemoryStorage(pybreaker.STATE_CLOSED)
        self._machine = pybreaker.CircuitBreaker(
            fail_max=consecutive,
            reset_timeout=reset,
            state_storage=self._storage,
            listeners=[_Transitions(self._changed), _Announcer(name, events)],
            name=name,
        )

    @property
    def state(self) -> str:
        """One of "closed", "open", "half-open"."""
        return self._state

    @property
    def closed(self) -> bool:
        """Whether the service is taken to be well."""
        return self._state == pybreaker.STATE_CLOSED

    def would_admit(self, *, has_old: bool = False) -> bool:
        """Whether a call would be let through now; takes nothing.

        Args:
            has_old: Whether the caller has an old value to show.
        """
        state = self._state
        if state == pybreaker.STATE_CLOSED:
            return True
        now = self._clock.monotonic()
        if state == pybreaker.STATE_OPEN:
            return now >= self._reopens_at
        if self._probe_until is not None:
            return now >= self._probe_until
        return not has_old or now >= self._rests_until

    def acquire(self, *, has_old: bool = False) -> Permit:
        """Take a permit.

        Args:
            has_old: Whether the caller has an old value to show.

        Raises:
            CircuitOpen: There is none now.
        """
        if not self.would_admit(has_old=has_old):
            raise CircuitOpen(self._name)
        if self._state == pybreaker.STATE_CLOSED:
            return Permit(self._generation, probe=False)
        if self._state == pybreaker.STATE_OPEN:
            self._machine.half_open()
        else:
            self._generation += 1  # a probe that was lost must not count when it turns up
        self._probe_until = self._clock.monotonic() + _PROBE_LEASE
        return Permit(self._generation, probe=True)

    def release(self, permit: Permit) -> None:
        """The call showed nothing: another probe may follow."""
        if permit.probe and permit.generation == self._generation:
            self._probe_until = None
            self._rests_until = self._clock.monotonic() + _REST

    def succeed(self, permit: Permit, *, seconds: float | None = None) -> None:
        """The service answered.

        Args:
            permit: For which call.
            seconds: How long it took; None where that is not to be judged.
        """
        if permit.generation != self._generation:
            return
        slow = seconds is not None and seconds >= self._slow
        self._storage.reset_counter()
        if not permit.probe:
            self._judge(*self._window.add(1, 0, seconds is not None, slow))
        elif slow:
            self._machine.open()
        else:
            self._machine.close()

    def fail(self, permit: Permit) -> None:
        """The service, or the way to it, misbehaved."""
        if permit.generation != self._generation:
            return
        self._storage.increment_counter()
        totals = self._window.add(1, 1, 0, 0)
        if permit.probe or self._storage.counter >= self._consecutive:
            self._machine.open()
        else:
            self._judge(*totals)

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        permit = self.acquire(has_old=call.has_old)
        begun = self._clock.monotonic() if call.route.method in SAFE_METHODS else None
        try:
            reply = await proceed(call)
        except UpstreamFailure:
            self.fail(permit)
            raise
        except UpstreamRefusal:
            self.succeed(permit, seconds=self._since(begun))
            raise
        except BaseException:
            self.release(permit)
            raise
        self.succeed(permit, seconds=self._since(begun))
        return reply

    def _since(self, begun: float | None) -> float | None:
        return None if begun is None else self._clock.monotonic() - begun

    def _judge(self, calls: int, failures: int, answers: int, slow: int) -> None:
        """Open at a share, whichever outcome has made the calls enough to tell."""
        failing = calls >= self._minimum_calls and failures >= self._failure_ratio * calls
        lagging = answers >= self._minimum_calls and slow >= self._slow_ratio * answers
        if failing or lagging:
            self._machine.open()

    def _changed(self, new: str) -> None:
        self._state = new
        self._generation += 1
        if new == pybreaker.STATE_OPEN:
            wait = self._reset * self._uniform(1.0, 1.0 + _REOPEN_JITTER)
            self._reopens_at = self._clock.monotonic() + wait
        elif new == pybreaker.STATE_CLOSED:
            self._window.clear()

    def __str__(self) -> str:
        ratio = f"{self._failure_ratio:.0%} of ≥{self._minimum_calls}"
        slow = f"{self._slow_ratio:.0%} taking ≥{self._slow:g} s"
        return f"Breaker({ratio}, {self._consecutive} in a row, {slow}, {self._reset:g} s)"


class BreakerPeek:
    """Refuse at once what the breaker would refuse anyway, before it waits for a slot."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def __call__(self, call: Call[V], proceed: Handler, /) -> Coroutine[Any, Any, Reply[V]]:
        if self._breaker.would_admit(has_old=call.has_old):
            return proceed(call)
        return self._refused(call)

    async def _refused(self, call: Call[V]) -> Reply[V]:
        raise CircuitOpen(call.route.service)

    def __str__(self) -> str:
        return "BreakerPeek"


class _Transitions(pybreaker.CircuitBreakerListener):
    """Tells our accounting of every transition, whoever caused it."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        """Called by pybreaker."""
        self._changed(new_state.name)


class _Announcer(pybreaker.CircuitBreakerListener):
    """Tells everybody else; `Events` contains what they raise, which would veto the change."""

    def __init__(self, service: str, events: Events) -> None:
        self._service = service
        self._events = events

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        """Called by pybreaker."""
        old = old_state.name if old_state is not None else new_state.name
        self._events.publish(BreakerChanged(service=self._service, old=old, new=new_state.name))
