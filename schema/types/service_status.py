"""ServiceStatus."""

from __future__ import annotations

from datetime import datetime

import strawberry

from datasources.ports import status


@strawberry.type(description="How an upstream service is doing, as seen from here.")
class ServiceStatus:
    name: str = strawberry.field(description='Such as "orders".')
    breaker: str = strawberry.field(description='Its breaker: "closed", "open" or "half-open".')
    failing_since: datetime | None = strawberry.field(
        description="Since when no call has succeeded; null while it is well."
    )
    serving_stale: bool = strawberry.field(description="Whether old values stand in for it now.")
    last_success: datetime | None = strawberry.field(
        description="When it last answered; null if it has not yet."
    )

    @classmethod
    def of(cls, seen: status.ServiceStatus) -> ServiceStatus:
        return cls(
            name=seen.name,
            breaker=seen.breaker,
            failing_since=seen.failing_since,
            serving_stale=seen.serving_stale,
            last_success=seen.last_success,
        )
