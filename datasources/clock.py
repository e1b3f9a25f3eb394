"""Time, as the rest of the program may know it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one to measure with, one to show."""

    def monotonic(self) -> float:
        """Seconds since some fixed instant; never goes back."""
        ...

    def now(self) -> datetime:
        """The instant on the wall, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clocks."""

    monotonic = staticmethod(time.monotonic)
    """See `Clock`; asked a dozen times for each call, so without a step of our own."""

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)
