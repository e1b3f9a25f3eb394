"""Money."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

_MOST_DIGITS = 30


Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
"""ISO 4217."""


class Money(msgspec.Struct, frozen=True):
    """An exact amount; JSON `{"amount": "12.34", "currency": "EUR"}`.

    Attributes:
        amount: Finite, with the digits that the service gave: at most 30, on both sides together.
        currency: Such as EUR.
    """

    amount: Decimal
    currency: Currency

    def __post_init__(self) -> None:
        """Refuse what JSON strings can spell and no price is: NaN, infinities, `1E+999999999`.

        Raises:
            ValueError: The amount is not finite, or absurdly long when written out.
        """
        _, digits, exponent = self.amount.as_tuple()
        if not isinstance(exponent, int) or len(digits) + abs(exponent) > _MOST_DIGITS:
            raise ValueError("no amount of money")
