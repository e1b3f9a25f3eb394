"""How the services are doing, as seen from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One service.

    Attributes:
        name: Such as "orders".
        breaker: "closed", "open" or "half-open".
        last_success: When it last answered (UTC); None if it has not yet.
        failing_since: Since when no call has succeeded (UTC); None while it is well.
        serving_stale: Whether old values stand in for it now.
    """

    name: str
    breaker: str
    last_success: datetime | None
    failing_since: datetime | None
    serving_stale: bool


class StatusPort(Protocol):
    """Knows all services; asks none."""

    def statuses(self) -> Sequence[ServiceStatus]:
        """One entry per service, in the order in which they are configured."""
        ...
