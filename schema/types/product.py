"""Product."""

from __future__ import annotations

import strawberry

from datasources.ports import products
from datasources.sourced import Sourced as Found
from schema.cache_control import CacheControl, CacheScope
from schema.types.freshness import Sourced
from schema.types.money import Money

FOR_A_MOMENT = CacheControl(max_age=5, scope=CacheScope.PUBLIC)
"""As long as what the service says counts as fresh, and it is the same for everybody."""


@strawberry.type(description="A thing for sale.", directives=[FOR_A_MOMENT])
class Product(Sourced):
    id: strawberry.ID = strawberry.field(description="Names the product.")
    name: str = strawberry.field(description="What it is called.")
    price: Money = strawberry.field(description="What one costs today.")
    description: str | None = strawberry.field(description="What it is, in plain text.")
    in_stock: bool = strawberry.field(description="Whether there is at least one to sell.")

    @classmethod
    def of(cls, found: Found[products.Product]) -> Product:
        record = found.value
        return cls(
            id=strawberry.ID(record.id),
            name=record.name,
            price=Money.of(record.price),
            description=record.description,
            in_stock=record.stock > 0,
            found=found,
        )
