"""Count what happened lately, in constant memory and constant time."""

from __future__ import annotations

from collections.abc import Callable

_SLICES = 10


class RollingWindow:
    """Several counters over the last *length* seconds, to a tenth of it.

    Args:
        length: How far back it counts (seconds).
        counters: How many things are counted side by side.
        clock: Monotonic time (seconds).
    """

    __slots__ = ("_clock", "_counters", "_current", "_length", "_now", "_slices", "_totals")

    def __init__(self, length: float, counters: int, clock: Callable[[], float]) -> None:
        self._length = length
        self._counters = counters
        self._clock = clock
        self._slices: list[list[int]] = []
        self._totals: list[int] = []
        self._current: list[int] = []
        self._now = 0
        self.clear()

    def add(self, *amounts: int) -> tuple[int, ...]:
        """Add one amount to each counter, in their order; what `totals` is then."""
        self._roll()
        current, totals = self._current, self._totals
        for index, amount in enumerate(amounts):
            if amount:
                current[index] += amount
                totals[index] += amount
        return tuple(totals)

    def totals(self) -> tuple[int, ...]:
        """The sum of each counter, in their order."""
        self._roll()
        return tuple(self._totals)

    def clear(self) -> None:
        """Forget everything."""
        self._slices = [[0] * self._counters for _ in range(_SLICES)]
        self._totals = [0] * self._counters
        self._now = self._tick()
        self._current = self._slices[self._now % _SLICES]

    def _tick(self) -> int:
        return int(self._clock() * _SLICES // self._length)

    def _roll(self) -> None:
        """Forget what is too old, and count in the slice of this instant."""
        tick = self._tick()
        if tick <= self._now:
            return
        for passed in range(max(self._now + 1, tick - _SLICES + 1), tick + 1):
            expired = self._slices[passed % _SLICES]
            for index, amount in enumerate(expired):
                self._totals[index] -= amount
                expired[index] = 0
        self._now = tick
        self._current = self._slices[tick % _SLICES]
