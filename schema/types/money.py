"""Money."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import strawberry

from datasources.ports import money
from schema.cache_control import INHERITED


def exact(amount: Decimal) -> str:
    """All digits of *amount*, also the zeros at its end, and no exponent."""
    text = str(amount)
    return format(amount, "f") if "E" in text else text


DECIMAL = strawberry.scalar(
    name="Decimal",
    description='A decimal number as a string with its exact digits, such as "12.30".',
    serialize=exact,
)


@strawberry.type(description="An amount of money.", directives=[INHERITED])
class Money:
    amount: Decimal = strawberry.field(description="How much, to the digit.")
    currency: str = strawberry.field(description="Of what: an ISO 4217 code.")

    @classmethod
    def of(cls, record: money.Money) -> Money:
        """The record itself, which has the same attributes; an answer holds dozens."""
        return cast("Money", record)
