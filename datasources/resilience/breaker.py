"""Stop asking a service that keeps failing; let one call at a time find out whether it is well.

pybreaker holds the states, their storage, their transitions and the listeners. Its own call
paths do not fit asyncio (docs/decisions/0004-pybreaker-as-state-machine.md), so admission and
accounting are ours: a permit is taken before the await and settled after it, and no lock is held
in between.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pybreaker

from datasources.clock import Clock
from datasources.errors import CircuitOpen, UpstreamFailure, UpstreamRefusal
from datasources.events import BreakerChanged, Events
from datasources.resilience.pipeline import Call, Handler, Reply, V
from datasources.resilience.window import RollingWindow

_PROBE_LEASE = 30.0
_REOPEN_JITTER = 0.1


class Permit:
    """The right to make one call; settled once, and only in the state in which it was given."""

    __slots__ = ("generation", "probe")

    def __init__(self, generation: int, *, probe: bool) -> None:
        self.generation = generation
        self.probe = probe


class Breaker:
    """Open at a share of failures among enough calls, or at so many in a row.

    Only `UpstreamFailure` counts as failure; a refusal shows a service in good health; a local
    rejection or a cancellation shows nothing. What was asked before the last change of state
    counts for nothing either.

    Args:
        name: The service.
        failure_ratio: Share of failed calls in the window that opens (0 to 1).
        minimum_calls: Fewest calls in the window for the share to mean anything.
        window: Length of the rolling window (seconds).
        consecutive: Failures in a row that open, whatever the share.
        reset: Time open before a probe (seconds); lengthened at random by up to a tenth, so that
            many processes do not probe at once.
        events: Told of every change of state.
        clock: Replaced in tests.
        uniform: Replaced in tests.
    """

    def __init__(  # noqa: PLR0913 - five numbers, a name and three seams
        self,
        name: str,
        *,
        failure_ratio: float = 0.5,
        minimum_calls: int = 10,
        window: float = 10.0,
        consecutive: int = 10,
        reset: float = 30.0,
        events: Events,
        clock: Clock,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._name = name
        self._failure_ratio = failure_ratio
        self._minimum_calls = minimum_calls
        self._reset = reset
        self._clock = clock
        self._uniform = uniform
        self._window = RollingWindow(window, 2, clock.monotonic)
        self._generation = 0
        self._probe_until: float | None = None
        self._reopens_at = 0.0
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
        return self._machine.current_state

    def would_admit(self) -> bool:
        """Whether a call would be let through now; takes nothing."""
        state = self.state
        if state == pybreaker.STATE_CLOSED:
            return True
        now = self._clock.monotonic()
        if state == pybreaker.STATE_OPEN:
            return now >= self._reopens_at
        return self._probe_until is None or now >= self._probe_until

    def acquire(self) -> Permit:
        """Take a permit.

        Raises:
            CircuitOpen: There is none now.
        """
        if not self.would_admit():
            raise CircuitOpen(self._name)
        if self.state == pybreaker.STATE_CLOSED:
            return Permit(self._generation, probe=False)
        if self.state == pybreaker.STATE_OPEN:
            self._machine.half_open()
        else:
            self._generation += 1  # a probe that was lost must not count when it turns up
        self._probe_until = self._clock.monotonic() + _PROBE_LEASE
        return Permit(self._generation, probe=True)

    def release(self, permit: Permit) -> None:
        """The call showed nothing: another probe may follow at once."""
        if permit.probe and permit.generation == self._generation:
            self._probe_until = None

    def succeed(self, permit: Permit) -> None:
        """The service answered."""
        if permit.generation != self._generation:
            return
        self._storage.reset_counter()
        if permit.probe:
            self._machine.close()
        else:
            self._window.add(1, 0)
            self._judge()

    def fail(self, permit: Permit) -> None:
        """The service, or the way to it, misbehaved."""
        if permit.generation != self._generation:
            return
        self._storage.increment_counter()
        self._window.add(1, 1)
        if permit.probe or self._storage.counter >= self._consecutive:
            self._machine.open()
        else:
            self._judge()

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        permit = self.acquire()
        try:
            reply = await proceed(call)
        except UpstreamFailure:
            self.fail(permit)
            raise
        except UpstreamRefusal:
            self.succeed(permit)
            raise
        except BaseException:
            self.release(permit)
            raise
        self.succeed(permit)
        return reply

    def _judge(self) -> None:
        """Open at the share, whichever outcome has made the calls enough to tell."""
        calls, failures = self._window.totals()
        if calls >= self._minimum_calls and failures >= self._failure_ratio * calls:
            self._machine.open()

    def _changed(self, new: str) -> None:
        self._generation += 1
        if new == pybreaker.STATE_OPEN:
            wait = self._reset * self._uniform(1.0, 1.0 + _REOPEN_JITTER)
            self._reopens_at = self._clock.monotonic() + wait
        elif new == pybreaker.STATE_CLOSED:
            self._window.clear()

    def __str__(self) -> str:
        ratio = f"{self._failure_ratio:.0%} of ≥{self._minimum_calls}"
        return f"Breaker({ratio}, {self._consecutive} in a row, {self._reset:g} s)"


class BreakerPeek:
    """Refuse at once what the breaker would refuse anyway, before it waits for a slot."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    async def __call__(self, call: Call[V], proceed: Handler, /) -> Reply[V]:
        if not self._breaker.would_admit():
            raise CircuitOpen(call.route.service)
        return await proceed(call)

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
