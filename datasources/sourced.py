"""A value, where it comes from and how old it is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

T_co = TypeVar("T_co", covariant=True)


class Origin(StrEnum):
    """Where a value comes from."""

    LIVE = "LIVE"
    CACHE = "CACHE"
    STALE = "STALE"


class Reason(StrEnum):
    """Why a value is not live, or is missing."""

    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    TIMEOUT = "TIMEOUT"
    UNREACHABLE = "UNREACHABLE"
    SERVER_ERROR = "SERVER_ERROR"
    BAD_REPLY = "BAD_REPLY"
    OVERLOADED = "OVERLOADED"
    DEADLINE = "DEADLINE"
    REVALIDATING = "REVALIDATING"


class Sourced(msgspec.Struct, Generic[T_co], frozen=True):
    """What a service said, and when.

    Attributes:
        value: The record, or records.
        service: Who said it.
        as_of: When the service said it (UTC).
        origin: LIVE when it was asked just now; CACHE within its freshness; STALE past it.
        age: Since the service said it (seconds); 0 when live.
        reason: Why it is stale; None unless `origin` is STALE.
    """

    value: T_co
    service: str
    as_of: datetime
    origin: Origin = Origin.LIVE
    age: float = 0.0
    reason: Reason | None = None
