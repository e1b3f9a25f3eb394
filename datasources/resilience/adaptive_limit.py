"""How many calls a service can take at once: a number, or what its latency tells.

The adaptive one is the gradient algorithm of Netflix's concurrency-limits. By Little's law, a
service that answers as quickly as when it is idle has no queue; one that takes *k* times as long
has *k* times the calls that it can work on. So the limit is multiplied by the usual latency
over the present one, plus a little for a queue to notice room by.

References:
    https://github.com/Netflix/concurrency-limits; docs/decisions/0024-adaptive-limit.md
"""

from __future__ import annotations

import math
from typing import Protocol

from datasources.clock import Clock

FLOOR = 4
"""An adaptive limit is not lowered below this, lest it learn nothing any more."""

_START = 16
_PERIOD = 0.25
_FEWEST = 10
_TOLERANCE = 1.1
_STEEPEST = 0.5
_SMOOTHING = 0.5
_LEARNING = 0.2
_CHECK_EVERY = 30.0
_CHECK_AGAIN = 1.0
_CHECK_WITHIN = 1.0
_CHECK_ROUNDS = 5.0


class Limit(Protocol):
    """Most calls in flight."""

    @property
    def now(self) -> int:
        """At this moment."""
        ...

    def observe(self, seconds: float, *, in_flight: int, timed_out: bool = False) -> None:
        """A call is over.

        Args:
            seconds: How long it took, without its wait for a slot.
            in_flight: How many there were when it ended, itself among them.
            timed_out: Whether it was given up, or put off by the service, which says as much.
        """
        ...


class FixedLimit:
    """Never moves."""

    def __init__(self, limit: int) -> None:
        self.now = limit

    def observe(self, seconds: float, *, in_flight: int, timed_out: bool = False) -> None:
        """Nothing follows from it."""

    def __str__(self) -> str:
        return str(self.now)


class AdaptiveLimit:
    """Follows what the service can take, between `FLOOR` and a bound; begins at 16.

    It is judged every quarter of a second, on ten calls or more:

    * The mean latency against the usual one gives the gradient, between a half and one; up to a
      tenth more than usual is noise. Calls that timed out or were put off lower it by their share.
    * The limit moves half-way to `limit * gradient + sqrt(limit)`. It grows only when more than
      half of it was in use, and is lowered for latency only then: with few calls in flight it is
      not their number that makes them slow. Time-outs lower it always.
    * The usual latency is the first that is seen, then what is seen while no more than half of the
      limit is in use, smoothed, and anything lower; but nothing of a judgement with time-outs.

    A limit that is in use all the time is halved, soon after it is first in use and every thirty
    seconds, for one judgement: the latency at half the load is the usual one from then on; and if
    it is lower than what was, the next such check follows a second later. One that has come to no
    judgement within a second, or five times what an answer takes, ends without: the slots may be
    held by writes, which nobody judges, and reads would wait for as long. So neither a service
    that was overloaded from the start, nor one that has become slower for good, misleads it for
    long.

    Args:
        most: Upper bound.
        clock: Replaced in tests.
    """

    def __init__(self, most: int, *, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._floor = min(FLOOR, most)
        self._limit = float(min(_START, most))
        self._usual: float | None = None
        self._check_at = clock.monotonic() + _CHECK_AGAIN
        self._checking = False
        self._check_until = 0.0
        self._since = clock.monotonic()
        self._calls = 0
        self._seconds = 0.0
        self._timeouts = 0
        self._peak = 0

    @property
    def now(self) -> int:
        """See `Limit`."""
        halved = self._checking and self._clock.monotonic() < self._check_until
        return max(self._floor, int(self._limit / 2.0 if halved else self._limit))

    def observe(self, seconds: float, *, in_flight: int, timed_out: bool = False) -> None:
        """See `Limit`."""
        now = self._clock.monotonic()
        if self._checking and now >= self._check_until:
            self._check_at = now + _CHECK_EVERY
            self._begin(now, checking=False)
        if self._checking and now - seconds < self._since:
            # Its latency is that of the higher load.
            if in_flight > self.now:
                self._since = now
            return
        self._calls += 1
        self._seconds += seconds
        self._timeouts += timed_out
        self._peak = max(self._peak, in_flight)
        if self._calls >= _FEWEST and now - self._since >= _PERIOD:
            self._judge(now)

    def _judge(self, now: float) -> None:
        latency = self._seconds / self._calls
        in_use = 2 * self._peak > self.now
        if self._checking:
            self._check(latency, now)
        else:
            self._learn(latency, in_use=in_use)
            self._move(latency, in_use=in_use)
        check = not self._checking and in_use and now >= self._check_at
        self._check_until = now + max(_CHECK_WITHIN, _CHECK_ROUNDS * latency)
        self._begin(now, checking=check)

    def _begin(self, now: float, *, checking: bool) -> None:
        """Count anew, for the next judgement."""
        self._checking = checking
        self._since = now
        self._calls = self._timeouts = self._peak = 0
        self._seconds = 0.0

    def _check(self, latency: float, now: float) -> None:
        """Take the latency at half the load for the usual one."""
        lower = self._usual is not None and _TOLERANCE * latency < self._usual
        if not self._timeouts:
            self._usual = latency
        self._check_at = now + (_CHECK_AGAIN if lower else _CHECK_EVERY)

    def _learn(self, latency: float, *, in_use: bool) -> None:
        if self._timeouts:
            return
        if self._usual is None:
            self._usual = latency
        elif latency < self._usual or not in_use:
            self._usual += _LEARNING * (latency - self._usual)

    def _move(self, latency: float, *, in_use: bool) -> None:
        gradient = 1.0 - self._timeouts / self._calls
        if in_use and self._usual is not None and latency > 0.0:
            gradient = min(gradient, _TOLERANCE * self._usual / latency)
        if gradient >= 1.0 and not in_use:
            return
        target = self._limit * max(_STEEPEST, gradient) + math.sqrt(self._limit)
        if not in_use:
            target = min(target, self._limit)
        moved = self._limit + _SMOOTHING * (target - self._limit)
        self._limit = min(float(self._most), max(float(self._floor), moved))

    def __str__(self) -> str:
        return f"{self._floor} to {self._most}"
