"""Payment."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from datasources.ports import payments
from datasources.sourced import Sourced as Found
from schema.cache_control import PERSONAL
from schema.types.freshness import Sourced


@strawberry.enum(description="How far a payment has come.")
class PaymentStatus(Enum):
    PENDING = strawberry.enum_value("PENDING", description="Begun, and not decided.")
    CAPTURED = strawberry.enum_value("CAPTURED", description="The money was taken.")
    REFUNDED = strawberry.enum_value("REFUNDED", description="The money was given back.")
    FAILED = strawberry.enum_value("FAILED", description="No money was taken.")
    QUEUED = strawberry.enum_value("QUEUED", description="The charge will be made later.")
    UNKNOWN = strawberry.enum_value(
        "UNKNOWN", description="The service uses a word that this graph does not know yet."
    )


_STATUSES = dict(PaymentStatus.__members__)


@strawberry.type(description="How an order is paid.", directives=[PERSONAL])
class Payment(Sourced):
    id: strawberry.ID = strawberry.field(description="Names the payment.")
    status: PaymentStatus = strawberry.field(description="How far it has come.")
    method: str = strawberry.field(description="By what means, as the service names it.")
    paid_at: datetime | None = strawberry.field(description="When the money was taken, if it was.")

    @classmethod
    def of(cls, found: Found[payments.Payment]) -> Payment:
        record = found.value
        return cls(
            id=strawberry.ID(record.id),
            status=_STATUSES.get(record.status, PaymentStatus.UNKNOWN),
            method=record.method,
            paid_at=record.paid_at,
            found=found,
        )
