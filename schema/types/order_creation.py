"""What it takes to place an order, and what can come of it."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import strawberry

from schema.types.order import Order


@strawberry.input(description="How many of which product.")
class OrderItemInput:
    product_id: strawberry.ID = strawberry.field(description="Which product.")
    quantity: int = strawberry.field(description="How many, from 1 to 1,000.")


@strawberry.input(description="What to order.")
class CreateOrderInput:
    items: list[OrderItemInput] = strawberry.field(description="From 1 to 100 lines.")
    payment_method: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="By what means to pay; null for the one that the service prefers.",
    )
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "At most one order is placed under one key, however often it is sent: 1 to 128 "
            "letters, digits, _ or -. Without one the `Idempotency-Key` header counts; without "
            "either, a request whose fate is in doubt is not repeated."
        ),
    )


@strawberry.enum(description="Why the service does not accept an order.")
class OrderRejectionReason(Enum):
    PAYMENT_DECLINED = strawberry.enum_value("PAYMENT_DECLINED", description="The charge failed.")
    UNKNOWN_PRODUCT = strawberry.enum_value(
        "UNKNOWN_PRODUCT", description="A product does not exist."
    )
    OUT_OF_STOCK = strawberry.enum_value(
        "OUT_OF_STOCK", description="There is not enough of a product."
    )
    INVALID_ITEMS = strawberry.enum_value(
        "INVALID_ITEMS", description="The lines of the order make no order."
    )
    IDEMPOTENCY_CONFLICT = strawberry.enum_value(
        "IDEMPOTENCY_CONFLICT", description="The key was used for another order."
    )
    UNKNOWN = strawberry.enum_value(
        "UNKNOWN", description="The service gives a reason that this graph does not know yet."
    )


@strawberry.type(description="The order is placed.")
class OrderCreated:
    order: Order = strawberry.field(description="As it was placed.")


@strawberry.type(description="The order was refused; nothing was placed and nothing charged.")
class OrderRejected:
    reason: OrderRejectionReason = strawberry.field(description="Why, for a program.")
    message: str = strawberry.field(description="Why, for a person.")


@strawberry.type(description="The order is placed; its payment will be made later.")
class PaymentQueued:
    order: Order = strawberry.field(description="As it was placed.")


@strawberry.type(description="Nobody knows whether the order was placed.")
class OutcomeUnknown:
    idempotency_key: str = strawberry.field(
        description="Send the same order under this key to find out; it is not placed twice."
    )
    message: str = strawberry.field(description="What is known, for a person.")


CreateOrderResult = Annotated[
    OrderCreated | OrderRejected | PaymentQueued | OutcomeUnknown,
    strawberry.union("CreateOrderResult", description="What came of placing an order."),
]
