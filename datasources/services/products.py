"""The products service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from datasources.errors import BadReply, DatasourceError
from datasources.ids import segment
from datasources.ports.products import Product, ProductId
from datasources.resilience.pipeline import Call, Handler, Route
from datasources.sourced import Sourced

_products = msgspec.json.Decoder(tuple[Product, ...]).decode

_BY_IDS = Route(
    service="products",
    operation="by_ids",
    scope="products:read",
    pack=msgspec.json.encode,
    unpack=msgspec.json.Decoder(Product).decode,
    personal=False,
)


class Products:
    """Implements `ports.products.ProductPort` over REST."""

    READS: ClassVar[frozenset[str]] = frozenset({_BY_IDS.operation})
    """Operations that change nothing."""

    def __init__(self, ask: Handler) -> None:
        self._ask = ask

    async def by_ids(
        self, product_ids: Sequence[ProductId], /
    ) -> Mapping[ProductId, Sourced[Product] | DatasourceError]:
        """See `ports.products.ProductPort`."""
        answers: dict[ProductId, Sourced[Product] | DatasourceError] = {}
        ids: list[ProductId] = []
        for product_id in product_ids:
            try:
                segment("products", product_id)
                ids.append(product_id)
            except BadReply as failure:
                answers[product_id] = failure
        if not ids:
            return answers
        try:
            reply = await self._ask(_call(tuple(sorted(ids))))
        except DatasourceError as failure:
            return answers | dict.fromkeys(ids, failure)
        for product_id in ids:
            answer = reply.parts.get(product_id, reply.failure)
            if answer is not None:
                answers[product_id] = answer
        return answers


def _call(ids: tuple[str, ...]) -> Call[Product]:
    def decode(_status: int, body: bytes) -> dict[str, Product]:
        wanted = frozenset(ids)
        return {product.id: product for product in _products(body) if product.id in wanted}

    return Call(
        route=_BY_IDS,
        path="/products",
        params={"ids": ",".join(ids)},
        keys=ids,
        decode=decode,
        narrow=_call,
    )
