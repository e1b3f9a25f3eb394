"""Placing an order, and telling truthfully what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from datasources.errors import DeadlineExceeded, NoTimeToAsk, Rejected, UpstreamFailure
from datasources.ports.orders import OrderDraft, OrderLine, OrderPort
from datasources.ports.products import ProductId
from schema.arguments import (
    MOST_AT_ONCE,
    checked_id,
    checked_idempotency_key,
    checked_payment_method,
)
from schema.context import Context, Viewer
from schema.errors import BadUserInput
from schema.types.order import Order
from schema.types.order_creation import (
    CreateOrderInput,
    OrderCreated,
    OrderItemInput,
    OrderRejected,
    OrderRejectionReason,
    OutcomeUnknown,
    PaymentQueued,
)

_LARGEST_QUANTITY = 1_000

_IN_DOUBT = "The orders service did not confirm the order. It may have been placed, or not."

_MESSAGES = {
    OrderRejectionReason.PAYMENT_DECLINED: "The payment was declined.",
    OrderRejectionReason.UNKNOWN_PRODUCT: "A product of this order does not exist.",
    OrderRejectionReason.OUT_OF_STOCK: "There is not enough of a product of this order.",
    OrderRejectionReason.INVALID_ITEMS: "These items cannot be ordered.",
    OrderRejectionReason.IDEMPOTENCY_CONFLICT: "This key was used for another order.",
    OrderRejectionReason.UNKNOWN: "The order was not accepted.",
}


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """Under which an order is placed at most once.

    Attributes:
        given: Whether the caller knows it. A request that may be repeated without their asking
            must be one that they can recognise; and a service that ignores keys would place
            it twice.
    """

    value: str
    given: bool


def key_of(wanted: CreateOrderInput, context: Context) -> IdempotencyKey:
    """The key in the input, else that of the request, else a new one.

    Raises:
        BadUserInput: It is not a key, or the request's own was used for another order of it.
    """
    if isinstance(wanted.idempotency_key, str):
        key = checked_idempotency_key("input.idempotencyKey", wanted.idempotency_key)
        return IdempotencyKey(key, given=True)
    if context.idempotency_key is not None:
        key = checked_idempotency_key("Idempotency-Key", context.idempotency_key)
        if key in context.spent_keys:
            raise BadUserInput(
                "Idempotency-Key", "one key for each order: use input.idempotencyKey"
            )
        context.spent_keys.add(key)
        return IdempotencyKey(key, given=True)
    return IdempotencyKey(context.new_idempotency_key(), given=False)


def draft_of(wanted: CreateOrderInput, viewer: Viewer) -> OrderDraft:
    """What to ask the orders service for.

    Raises:
        BadUserInput: A part of the input is not acceptable.
    """
    if not 1 <= len(wanted.items) <= MOST_AT_ONCE:
        raise BadUserInput("input.items", f"from 1 to {MOST_AT_ONCE} lines")
    method = wanted.payment_method
    return OrderDraft(
        user_id=viewer.id,
        lines=tuple(_line(index, item) for index, item in enumerate(wanted.items)),
        payment_method=checked_payment_method("input.paymentMethod", method)
        if isinstance(method, str)
        else None,
    )


def _line(index: int, item: OrderItemInput) -> OrderLine:
    argument = f"input.items[{index}]"
    if not 1 <= item.quantity <= _LARGEST_QUANTITY:
        raise BadUserInput(f"{argument}.quantity", f"from 1 to {_LARGEST_QUANTITY}")
    product_id = ProductId(checked_id(f"{argument}.productId", item.product_id))
    return OrderLine(product_id=product_id, quantity=item.quantity)


async def place(
    port: OrderPort, draft: OrderDraft, key: IdempotencyKey
) -> OrderCreated | OrderRejected | PaymentQueued | OutcomeUnknown:
    """Place the order, and say what is known of it.

    Raises:
        DatasourceError: Nothing was sent, or the service said no at once, in a way that concerns
            us rather than the order; nothing was placed.
    """
    try:
        placed = await port.create(draft, idempotency_key=key.value, repeatable=key.given)
    except Rejected as refusal:
        reason = OrderRejectionReason.__members__.get(refusal.problem or "")
        if reason is None and refusal.in_conflict:
            # With what, it does not say: perhaps with the same request, still under way.
            return OutcomeUnknown(idempotency_key=key.value, message=_IN_DOUBT)
        reason = reason or OrderRejectionReason.UNKNOWN
        return OrderRejected(reason=reason, message=_MESSAGES[reason])
    except NoTimeToAsk:
        raise
    except (UpstreamFailure, DeadlineExceeded):
        return OutcomeUnknown(idempotency_key=key.value, message=_IN_DOUBT)
    order = Order.single(placed.order)
    return PaymentQueued(order=order) if placed.payment_queued else OrderCreated(order=order)
