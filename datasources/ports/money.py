"""Money."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

_MOST_DIGITS = 30
_CURRENCY = re.compile("[A-Z]{3}")
_currencies: set[str] = set()
"""Those that were seen and have the right form, of which there are not many."""


class Money(msgspec.Struct, frozen=True):
    """An exact amount; JSON `{"amount": "12.34", "currency": "EUR"}`.

    Attributes:
        amount: Finite, with the digits that the service gave: at most 30, on both sides together.
        currency: Three capital letters, such as EUR: ISO 4217.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Refuse what JSON strings can spell and no price is: NaN, infinities, `1E+999999999`.

        An answer holds dozens of prices, so the usual ones are told by their digits alone.

        Raises:
            ValueError: The amount is not finite, or absurdly long when written out; or there is no
                such currency.
        """
        text = str(self.amount)
        if len(text) > _USUAL or not text.replace(".", "", 1).isdecimal():
            _, digits, exponent = self.amount.as_tuple()
            if not isinstance(exponent, int) or len(digits) + abs(exponent) > _MOST_DIGITS:
                raise ValueError("no amount of money")
        if self.currency not in _currencies:
            if not _CURRENCY.fullmatch(self.currency):
                raise ValueError("no currency")
            _currencies.add(self.currency)


_USUAL = _MOST_DIGITS // 2
"""So few characters cannot be too many digits: each is one at most, and half may be decimals."""
