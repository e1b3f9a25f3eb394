"""What the orders service knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NewType, Protocol

import msgspec

from datasources.ports.instant import Instant, demand_expressible
from datasources.ports.money import Money
from datasources.ports.products import ProductId
from datasources.ports.users import UserId
from datasources.sourced import Sourced

OrderId = NewType("OrderId", str)


Quantity = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""What GraphQL's Int can show."""


class OrderItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One line of an order."""

    product_id: ProductId
    quantity: Quantity
    unit_price: Money


class Order(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A purchase. Source: `GET /orders/{id}`, `GET /orders?userId=`.

    Attributes:
        user_id: Whose it is.
        status: As the service spells it; it may learn words that we do not know yet.
    """

    id: OrderId
    user_id: UserId
    status: str
    total: Money
    created_at: Instant
    items: tuple[OrderItem, ...]

    def __post_init__(self) -> None:
        """See `demand_expressible`."""
        demand_expressible(self.created_at)


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a list. Source: `GET /orders?userId=&limit=&after=`.

    Attributes:
        items: Newest first.
        next: Where the following page starts; None on the last.
    """

    items: tuple[Order, ...]
    next: Annotated[str, msgspec.Meta(max_length=4_096)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """What to order, and how many (from 1)."""

    product_id: ProductId
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """What to ask for with `POST /orders`."""

    user_id: UserId
    lines: tuple[OrderLine, ...]
    payment_method: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced:
    """The order is stored.

    Attributes:
        payment_queued: The payment service could not be reached; the charge will be made later.
    """

    order: Sourced[Order]
    payment_queued: bool


class OrderPort(Protocol):
    """The orders service, as far as the schema needs it."""

    async def recent(self, user_id: UserId, /, *, limit: int) -> Sourced[Sequence[Order]]:
        """At most *limit* (1 to 100) orders of that user, newest first."""
        ...

    async def page(self, user_id: UserId, /, *, limit: int, after: str) -> Sourced[OrderPage]:
        """At most *limit* (1 to 200) orders of that user, newest first, from *after* on.

        Args:
            user_id: Whose.
            limit: Most items on the page.
            after: `OrderPage.next` of the page before; "" for the first page.
        """
        ...

    async def by_id(self, order_id: OrderId, /) -> Sourced[Order]:
        """The order with that id, if it is the caller's own.

        Raises:
            NotFound: There is none, or it is somebody else's.
        """
        ...

    async def create(
        self, draft: OrderDraft, /, *, idempotency_key: str, repeatable: bool
    ) -> OrderPlaced:
        """Place an order.

        Args:
            draft: What to order.
            idempotency_key: The service stores at most one order under it, however often asked.
            repeatable: Whether a failed attempt may be repeated with the same key.

        Raises:
            Rejected: The service refuses; nothing was stored.
            UpstreamFailure: It is not known whether the order was stored.
            LocalRejection: As `UpstreamFailure` for `DeadlineExceeded` that is not `NoTimeToAsk`;
                else nothing was sent.
        """
        ...
