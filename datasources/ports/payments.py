"""What the payments service knows."""

from __future__ import annotations

from typing import NewType, Protocol

import msgspec

from datasources.ports.instant import Instant, demand_expressible
from datasources.ports.orders import OrderId
from datasources.sourced import Sourced

PaymentId = NewType("PaymentId", str)


class Payment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The payment of one order. Source: `GET /payments/{orderId}`.

    Attributes:
        status: As the service spells it; it may learn words that we do not know yet.
    """

    id: PaymentId
    order_id: OrderId
    status: str
    method: str
    paid_at: Instant | None = None

    def __post_init__(self) -> None:
        """See `demand_expressible`."""
        demand_expressible(self.paid_at)


class PaymentPort(Protocol):
    """The payments service, as far as the schema needs it. It has no batch."""

    async def by_order(self, order_id: OrderId, /) -> Sourced[Payment]:
        """The payment of that order.

        Raises:
            NotFound: Nothing was paid or queued for it.
        """
        ...
