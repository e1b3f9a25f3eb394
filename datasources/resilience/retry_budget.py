"""How many repeats a service may be burdened with."""

from __future__ import annotations

from datasources.clock import Clock
from datasources.resilience.window import RollingWindow


class RetryBudget:
    """In any ten seconds, repeats are at most a share of the latest calls plus a few.

    Without it, three retries turn a service that fails into one that is asked four times as
    often, and keep it down.

    Args:
        ratio: Repeats for each call (0 to 1).
        per_second: Repeats a second that need no calls to pay for them, so that a quiet service
            can be asked again too.
        clock: Replaced in tests.
    """

    _SECONDS = 10.0

    def __init__(self, *, ratio: float = 0.1, per_second: float = 1.0, clock: Clock) -> None:
        self._ratio = ratio
        self._reserve = per_second * self._SECONDS
        # A window forgets a tenth at a time: of a longer one, ten seconds are always there.
        self._window = RollingWindow(self._SECONDS / 0.9, 2, clock.monotonic)
        self._text = f"{ratio:.0%} + {per_second:g}/s"

    def deposit(self) -> None:
        """A call was made."""
        self._window.add(1, 0)

    def withdraw(self) -> bool:
        """Whether it may be repeated; if so, the repeat is counted."""
        calls, repeats = self._window.totals()
        if repeats + 1 > self._ratio * calls + self._reserve:
            return False
        self._window.add(0, 1)
        return True

    def __str__(self) -> str:
        return self._text
