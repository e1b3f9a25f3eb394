"""The payments service."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from datasources.ids import segment
from datasources.ports.orders import OrderId
from datasources.ports.payments import Payment
from datasources.resilience.pipeline import Call, Handler, Route
from datasources.sourced import Sourced

_payment = msgspec.json.Decoder(Payment).decode

_BY_ORDER = Route(
    service="payments",
    operation="by_order",
    scope="payments:read",
    pack=msgspec.json.encode,
    unpack=_payment,
)


class Payments:
    """Implements `ports.payments.PaymentPort` over REST."""

    READS: ClassVar[frozenset[str]] = frozenset({_BY_ORDER.operation})
    """Operations that change nothing."""

    def __init__(self, ask: Handler) -> None:
        self._ask = ask

    async def by_order(self, order_id: OrderId, /) -> Sourced[Payment]:
        """See `ports.payments.PaymentPort`."""

        def decode(_status: int, body: bytes) -> dict[str, Payment]:
            payment = _payment(body)
            if payment.order_id != order_id:
                raise ValueError("the payment of another order")
            return {key: payment}

        key = f"by_order:{order_id}"
        path = f"/payments/{segment('payments', order_id)}"
        reply = await self._ask(Call(route=_BY_ORDER, path=path, keys=(key,), decode=decode))
        return reply.only("payments")
