"""What the products service knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NewType, Protocol

import msgspec

from datasources.errors import DatasourceError
from datasources.ports.money import Money
from datasources.sourced import Sourced

ProductId = NewType("ProductId", str)

BATCH_LIMIT = 100
"""Most ids that one request may name: `GET /products?ids=`."""


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A thing for sale. Source: `GET /products?ids=`.

    Attributes:
        stock: How many there are to sell; never negative in a healthy service.
    """

    id: ProductId
    name: str
    price: Money
    stock: int
    description: str | None = None


class ProductPort(Protocol):
    """The products service, as far as the schema needs it."""

    async def by_ids(
        self, product_ids: Sequence[ProductId], /
    ) -> Mapping[ProductId, Sourced[Product] | DatasourceError]:
        """The known ones among those products, each with a freshness of its own.

        Args:
            product_ids: Distinct, at most `BATCH_LIMIT`.

        Returns:
            By id, in no order: the product, or why it cannot be had; unknown ids are absent.
        """
        ...
