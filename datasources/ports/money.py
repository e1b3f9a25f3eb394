"""Money."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Money(msgspec.Struct, frozen=True):
    """An exact amount; JSON `{"amount": "12.34", "currency": "EUR"}`.

    Attributes:
        amount: Finite, with the digits that the service gave.
        currency: ISO 4217 code.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Refuse NaN and the infinities, which JSON strings can spell.

        Raises:
            ValueError: The amount is not finite.
        """
        if not self.amount.is_finite():
            raise ValueError("an amount of money must be finite")
