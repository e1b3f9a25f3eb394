"""Order."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import TypeVar, cast

import strawberry

from datasources.errors import BadReply
from datasources.importance import Importance
from datasources.ports import orders
from datasources.ports.orders import OrderId
from datasources.ports.products import ProductId
from datasources.sourced import Sourced as Found
from schema.arguments import is_id
from schema.asks import Asks, Per
from schema.cache_control import PERSONAL
from schema.loaded import loaded
from schema.types.freshness import Sourced
from schema.types.money import Money
from schema.types.payment import Payment
from schema.types.product import Product

IdT = TypeVar("IdT", bound=str)

PRODUCT = Asks(
    service="products",
    operation="by_ids",
    scope="products:read",
    per=Per.WAVE,
    importance=Importance.IMPORTANT,
)
PAYMENT = Asks(
    service="payments",
    operation="by_order",
    scope="payments:read",
    per=Per.PARENT,
    importance=Importance.IMPORTANT,
)


@strawberry.enum(description="How far an order has come.")
class OrderStatus(Enum):
    PENDING = strawberry.enum_value("PENDING", description="Placed, and not paid.")
    PAID = strawberry.enum_value("PAID", description="Paid, and not yet on its way.")
    SHIPPED = strawberry.enum_value("SHIPPED", description="On its way.")
    DELIVERED = strawberry.enum_value("DELIVERED", description="Arrived.")
    CANCELLED = strawberry.enum_value("CANCELLED", description="Will not come.")
    UNKNOWN = strawberry.enum_value(
        "UNKNOWN", description="The service uses a word that this graph does not know yet."
    )


_STATUSES = dict(OrderStatus.__members__)


def _product_of(item: OrderItem) -> ProductId:
    return _usable(item.product_id)


def _payment_of(order: Order) -> OrderId:
    return _usable(order.order_id)


@strawberry.type(description="One line of an order.")
class OrderItem:
    quantity: int = strawberry.field(description="How many.")
    unit_price: Money = strawberry.field(description="What one cost when it was ordered.")
    product_id: strawberry.Private[ProductId]

    product: Product | None = loaded(
        PRODUCT,
        of=Product,
        key=_product_of,
        loader=attrgetter("products"),
        make=Product.of,
        description="What was ordered; null when it is no longer known.",
    )

    @classmethod
    def of(cls, record: orders.OrderItem) -> OrderItem:
        """The record itself, which has the same attributes; see `Money.of`."""
        return cast("OrderItem", record)


@strawberry.type(description="A purchase of the viewer.", directives=[PERSONAL])
class Order(Sourced):
    id: strawberry.ID = strawberry.field(description="Names the order.")
    status: OrderStatus = strawberry.field(description="How far it has come.")
    total: Money = strawberry.field(description="What it costs in all.")
    created_at: datetime = strawberry.field(description="When it was placed.")
    items: list[OrderItem] = strawberry.field(description="What was ordered.")
    order_id: strawberry.Private[OrderId]

    payment: Payment | None = loaded(
        PAYMENT,
        of=Payment,
        key=_payment_of,
        loader=attrgetter("payments"),
        make=Payment.of,
        description="How it is paid; null when nothing was paid or queued for it.",
    )

    @classmethod
    def of(cls, record: orders.Order, found: Found[object]) -> Order:
        return cls(
            id=strawberry.ID(record.id),
            status=_STATUSES.get(record.status, OrderStatus.UNKNOWN),
            total=Money.of(record.total),
            created_at=record.created_at,
            items=[OrderItem.of(item) for item in record.items],
            order_id=record.id,
            found=found,
        )

    @classmethod
    def single(cls, found: Found[orders.Order]) -> Order:
        return cls.of(found.value, found)


def _usable(upstream_id: IdT) -> IdT:
    """An id as the orders service gave it, if another service may be asked for it.

    Raises:
        BadReply: It could be mistaken for something else in a path.
    """
    if not is_id(upstream_id):
        raise BadReply("orders", "an id that is none")
    return upstream_id
