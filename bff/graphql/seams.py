"""What the view needs of others, who need not know the view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bff.telemetry.latencies import Latency
from schema.context import Context, Viewer

NewContext = Callable[[Viewer | None, str | None], Context]
"""Makes the context of one operation from the viewer and the request's Idempotency-Key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What a call to one operation of a service would meet now.

    Attributes:
        breaker: State of the service's breaker: "closed", "open" or "half-open".
        admits: Whether that breaker would let a call through.
        in_flight: How many calls to the service are under way.
        waiting: How many wait for a slot.
        patience: How long a caller with an old value waits for a newer one (seconds).
        latency: How long such calls took lately; None when none was measured.
    """

    breaker: str
    admits: bool
    in_flight: int
    waiting: int
    patience: float
    latency: Latency | None


Prospects = Callable[[str, str], Prospect]
"""Tells the prospect of a service and an operation; asks nobody."""


def never_asked(_service: str, _operation: str) -> Prospect:
    """The prospect of any service as it is at first."""
    return Prospect(
        breaker="closed", admits=True, in_flight=0, waiting=0, patience=0.0, latency=None
    )


class InvalidToken(Exception):
    """The token proves nothing: the request is refused, not treated as anonymous."""


class Unverifiable(InvalidToken):
    """The token may be good, and nobody can tell now."""


class Tokens(Protocol):
    """Knows callers by their tokens."""

    def known(self, authorization: str, /) -> Viewer | None:
        """Who sent this Authorization header, if that was found out before and is still so.

        Asks nobody, and waits for nothing; None says only that it takes more than that.
        """
        ...

    async def viewer(self, authorization: str, /) -> Viewer:
        """Who sent this Authorization header.

        Raises:
            InvalidToken: There is a token, and it is not good.
        """
        ...
