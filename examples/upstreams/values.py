"""Ids, instants and money, as all five services write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

ID = r"\A[A-Za-z0-9_-]{1,64}\Z"

Id = Annotated[str, msgspec.Meta(pattern=ID)]

CURRENCY = "EUR"


class Money(msgspec.Struct, frozen=True):
    """An exact amount; inside the services it is an integer of cents."""

    amount: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,9}\.[0-9]{2}\Z")]
    currency: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{3}\Z")]

    @property
    def cents(self) -> int:
        return int(self.amount.replace(".", ""))


def money(cents: int) -> Money:
    """12.34 EUR, given 1234."""
    return Money(f"{cents // 100}.{cents % 100:02}", CURRENCY)


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC; always of one length, so that the text sorts as the time does."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_now() -> datetime:
    """The clock of the machine."""
    return datetime.now(UTC)
