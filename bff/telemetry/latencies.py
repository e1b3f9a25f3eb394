"""How long calls to the services take, as far as they were measured lately."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt

from datasources.clock import Clock
from datasources.errors import NotFound
from datasources.events import AttemptFinished, Event

_SHORTEST = 0.0001
_RATIO = 1.1
_BUCKETS = 144
"""From 0.1 ms to about 80 s, each a tenth wider than the one before."""

_BOUNDS = tuple(accumulate([_RATIO] * (_BUCKETS - 1), float.__mul__, initial=_SHORTEST))
_HALF_LIFE = 60.0
_MOST_HALF_LIVES = 64.0
_TOLD = frozenset({"ok", NotFound.__name__})
"""Outcomes that tell how long an answer takes; refusals and failures come sooner, or never."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one operation of a service takes (seconds), give or take a twentieth.

    Attributes:
        median: Half of the calls are quicker.
        p95: 95 of 100 are.
        samples: How many were ever measured.
    """

    median: float
    p95: float
    samples: int


class Histogram:
    """Counts durations; what was measured a minute ago counts half.

    Instead of ageing what is there, what comes later weighs more; all weights are divided when
    they become large. Constant in memory. Nothing is forgotten only because nothing came after.
    """

    __slots__ = ("_since", "_weights", "samples")

    def __init__(self, now: float) -> None:
        self._weights = [0.0] * (_BUCKETS + 1)
        self._since = now
        self.samples = 0

    def add(self, seconds: float, now: float) -> None:
        """Count one duration, measured at *now* (monotonic seconds)."""
        half_lives = (now - self._since) / _HALF_LIFE
        if half_lives > _MOST_HALF_LIVES:
            # So much older that nothing of it would show: also where the power is no float.
            faded = 0.5**half_lives
            self._weights = [weight * faded for weight in self._weights]
            self._since, half_lives = now, 0.0
        self._weights[bisect_right(_BOUNDS, seconds)] += 2.0**half_lives
        self.samples += 1

    def quantiles(self, *shares: float) -> Sequence[float] | None:
        """The durations (seconds) below which those *shares* are; None when nothing was counted."""
        rising = tuple(accumulate(self._weights))
        if not rising[-1]:
            return None
        found = (bisect_right(rising, share * rising[-1]) for share in shares)
        return [_middle(min(bucket, _BUCKETS)) for bucket in found]


class Latencies:
    """A histogram for each operation of each service. Subscribe `record` to events.

    Args:
        clock: Replaced in tests.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._histograms: dict[tuple[str, str], Histogram] = {}

    def record(self, event: Event) -> None:
        """Learn from *event*. A `datasources.events.Subscriber`."""
        if not isinstance(event, AttemptFinished) or event.outcome not in _TOLD:
            return
        now = self._clock.monotonic()
        key = (event.service, event.operation)
        histogram = self._histograms.get(key)
        if histogram is None:
            histogram = self._histograms[key] = Histogram(now)
        histogram.add(event.seconds, now)

    def of(self, service: str, operation: str) -> Latency | None:
        """How long that takes; None when it was never measured."""
        histogram = self._histograms.get((service, operation))
        found = None if histogram is None else histogram.quantiles(0.5, 0.95)
        if histogram is None or found is None:
            return None
        median, p95 = found
        return Latency(median, p95, histogram.samples)


def _middle(bucket: int) -> float:
    """A duration in the middle of that bucket, by ratio; its bound for the first and the last."""
    if bucket == 0:
        return _SHORTEST
    return _BOUNDS[bucket - 1] * (sqrt(_RATIO) if bucket < _BUCKETS else 1.0)
