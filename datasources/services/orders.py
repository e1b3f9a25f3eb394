"""The orders service."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar, NamedTuple

import msgspec

from datasources.errors import Forbidden, NotFound, Unauthorized
from datasources.ids import segment
from datasources.ports.orders import Order, OrderDraft, OrderId, OrderPage, OrderPlaced
from datasources.ports.users import UserId
from datasources.resilience.pipeline import Call, Handler, Route
from datasources.scope import current_scope
from datasources.sourced import Sourced


class _Stored(NamedTuple):
    order: Order
    queued: bool


_order = msgspec.json.Decoder(Order).decode
_orders = msgspec.json.Decoder(tuple[Order, ...]).decode
_page = msgspec.json.Decoder(OrderPage).decode

_RECENT = Route(
    service="orders",
    operation="recent",
    scope="orders:read",
    pack=msgspec.json.encode,
    unpack=_orders,
)
_PAGE = Route(
    service="orders",
    operation="page",
    scope="orders:read",
    pack=msgspec.json.encode,
    unpack=_page,
)
_BY_ID = Route(
    service="orders",
    operation="by_id",
    scope="orders:read",
    pack=msgspec.json.encode,
    unpack=_order,
)
_CREATE = Route(
    service="orders",
    operation="create",
    scope="orders:write",
    pack=msgspec.json.encode,
    unpack=msgspec.json.Decoder(_Stored).decode,
    method="POST",
)


class Orders:
    """Implements `ports.orders.OrderPort` over REST."""

    READS: ClassVar[frozenset[str]] = frozenset(
        {_RECENT.operation, _PAGE.operation, _BY_ID.operation}
    )
    """Operations that change nothing."""

    def __init__(self, ask: Handler) -> None:
        self._ask = ask

    async def recent(self, user_id: UserId, /, *, limit: int) -> Sourced[Sequence[Order]]:
        """See `ports.orders.OrderPort`."""

        def decode(_status: int, body: bytes) -> dict[str, tuple[Order, ...]]:
            return {key: _own(user_id, _orders(body)[:limit])}

        key = f"recent:{user_id}:{limit}"
        params = {"userId": user_id, "limit": str(limit)}
        reply = await self._ask(
            Call(route=_RECENT, path="/orders", params=params, keys=(key,), decode=decode)
        )
        return reply.only("orders")

    async def page(self, user_id: UserId, /, *, limit: int, after: str) -> Sourced[OrderPage]:
        """See `ports.orders.OrderPort`."""

        def decode(_status: int, body: bytes) -> dict[str, OrderPage]:
            page = _page(body)
            _own(user_id, page.items)
            return {key: page}

        key = f"page:{user_id}:{limit}:{after}"
        params = {"userId": user_id, "limit": str(limit), "after": after}
        reply = await self._ask(
            Call(route=_PAGE, path="/orders", params=params, keys=(key,), decode=decode)
        )
        return reply.only("orders")

    async def by_id(self, order_id: OrderId, /) -> Sourced[Order]:
        """See `ports.orders.OrderPort`."""

        def decode(_status: int, body: bytes) -> dict[str, Order]:
            order = _order(body)
            if order.id != order_id:
                raise ValueError("another order")
            return {key: order} if order.user_id == current_scope().principal else {}

        key = f"by_id:{order_id}"
        path = f"/orders/{segment('orders', order_id)}"
        call = Call(route=_BY_ID, path=path, keys=(key,), decode=decode)
        try:
            reply = await self._ask(call)
        except Unauthorized:
            raise
        except Forbidden as refusal:
            # Somebody else's order, by the service's word: that it exists is not ours to tell.
            raise NotFound("orders") from refusal
        return reply.only("orders")

    async def create(
        self, draft: OrderDraft, /, *, idempotency_key: str, repeatable: bool
    ) -> OrderPlaced:
        """See `ports.orders.OrderPort`."""

        def decode(status: int, body: bytes) -> dict[str, _Stored]:
            order = _order(body)
            _own(draft.user_id, (order,))
            return {order.id: _Stored(order, status == HTTPStatus.ACCEPTED)}

        reply = await self._ask(
            Call(
                route=_CREATE,
                path="/orders",
                keys=(),
                decode=decode,
                body=_draft(draft),
                idempotency_key=idempotency_key,
                repeatable=repeatable,
            )
        )
        placed = reply.only("orders")
        order = Sourced(placed.value.order, placed.service, placed.as_of)
        return OrderPlaced(order=order, payment_queued=placed.value.queued)


def _own(user_id: UserId, orders: tuple[Order, ...]) -> tuple[Order, ...]:
    """*orders*, which are all that user's.

    Raises:
        ValueError: One is not: the service does not do what it was asked.
    """
    if any(order.user_id != user_id for order in orders):
        raise ValueError("an order of another user")
    return orders


def _draft(draft: OrderDraft) -> bytes:
    lines = [{"productId": line.product_id, "quantity": line.quantity} for line in draft.lines]
    body: dict[str, object] = {"userId": draft.user_id, "items": lines}
    if draft.payment_method is not None:
        body["paymentMethod"] = draft.payment_method
    return msgspec.json.encode(body)
