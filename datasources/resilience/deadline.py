"""How much time a call has left.

The deadline of an operation is set once, where the operation begins, and stands in its `Scope`.
Whoever waits inside a pipeline waits at most `time_left`; nobody needs to be stopped from
outside. What is kept back lets whoever holds an old value still serve it in time.

References:
    docs/decisions/0006-order-of-the-pipeline.md
"""

from __future__ import annotations

from datasources.clock import Clock
from datasources.scope import current_scope

RESERVE = 0.02
"""Kept back from every deadline for serving an old value (seconds)."""


def time_left(clock: Clock) -> float:
    """What the running operation may still spend on asking (seconds); negative when overdrawn."""
    return current_scope().deadline - RESERVE - clock.monotonic()
