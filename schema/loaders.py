"""Records by id: batched, remembered and shared within one operation, never beyond it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from datasources.errors import NotFound
from datasources.ports.orders import Order, OrderId, OrderPort
from datasources.ports.payments import Payment, PaymentPort
from datasources.ports.products import BATCH_LIMIT, Product, ProductId, ProductPort
from datasources.ports.users import User, UserId, UserPort
from datasources.sourced import Sourced
from schema.isolating_loader import IsolatingLoader

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaders:
    """All loaders of one operation. What does not exist loads as None; what fails raises."""

    users: IsolatingLoader[UserId, Sourced[User] | None]
    orders: IsolatingLoader[OrderId, Sourced[Order] | None]
    products: IsolatingLoader[ProductId, Sourced[Product] | None]
    payments: IsolatingLoader[OrderId, Sourced[Payment] | None]


def build_loaders(
    *, users: UserPort, orders: OrderPort, products: ProductPort, payments: PaymentPort
) -> Loaders:
    """New, empty loaders over those ports; needs no running event loop.

    Products are asked for in batches; the others one call for each id, concurrently.
    """
    return Loaders(
        users=IsolatingLoader(partial(_single, users.by_id), batch_size=1),
        orders=IsolatingLoader(partial(_single, orders.by_id), batch_size=1),
        products=IsolatingLoader(partial(_products, products), batch_size=BATCH_LIMIT),
        payments=IsolatingLoader(partial(_single, payments.by_order), batch_size=1),
    )


async def _single(
    by_id: Callable[[K], Awaitable[Sourced[V]]], keys: Sequence[K]
) -> Sequence[Sourced[V] | None]:
    try:
        return [await by_id(key) for key in keys]
    except NotFound:
        return [None]


async def _products(
    port: ProductPort, keys: Sequence[ProductId]
) -> Sequence[Sourced[Product] | Exception | None]:
    found = await port.by_ids(keys)
    return [found.get(key) for key in keys]
