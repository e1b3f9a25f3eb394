"""How old a value is, and why."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

import strawberry

from datasources import sourced
from schema.cache_control import INHERITED, NEVER
from schema.context import Info

R = TypeVar("R")
T = TypeVar("T")


@strawberry.enum(description="Where a value comes from.")
class Origin(Enum):
    LIVE = strawberry.enum_value("LIVE", description="The service was asked just now.")
    CACHE = strawberry.enum_value("CACHE", description="Kept, and within its freshness.")
    STALE = strawberry.enum_value(
        "STALE", description="Kept, and past its freshness; served for the `reason` given."
    )


@strawberry.enum(description="Why a value is old, or missing.")
class DegradedReason(Enum):
    CIRCUIT_OPEN = strawberry.enum_value(
        "CIRCUIT_OPEN", description="The service keeps failing and is not asked for now."
    )
    TIMEOUT = strawberry.enum_value("TIMEOUT", description="The service did not answer in time.")
    UNREACHABLE = strawberry.enum_value(
        "UNREACHABLE", description="No whole answer came from the service."
    )
    SERVER_ERROR = strawberry.enum_value("SERVER_ERROR", description="The service failed.")
    BAD_REPLY = strawberry.enum_value(
        "BAD_REPLY", description="The service gave an answer that cannot be used."
    )
    OVERLOADED = strawberry.enum_value(
        "OVERLOADED", description="Too many requests, here or at the service."
    )
    DEADLINE = strawberry.enum_value(
        "DEADLINE", description="The time of the operation, or of the field, was spent."
    )
    REVALIDATING = strawberry.enum_value(
        "REVALIDATING", description="A newer value is on its way, and was not waited for."
    )


@strawberry.type(description="How old a value is, and why.", directives=[INHERITED])
class Freshness:
    origin: Origin = strawberry.field(description="Where the value comes from.", directives=[NEVER])
    cached: bool = strawberry.field(
        description="Whether it was kept, rather than asked for now.", directives=[NEVER]
    )
    as_of: datetime = strawberry.field(description="When the service said it.")
    age_seconds: float = strawberry.field(
        description="Seconds since then; 0 when live.", directives=[NEVER]
    )
    reason: DegradedReason | None = strawberry.field(
        description="Why it is served although it is old; null unless `origin` is STALE."
    )

    @classmethod
    def of(cls, found: sourced.Sourced[Any]) -> Freshness:
        return cls(
            origin=Origin[found.origin.name],
            cached=found.origin is not sourced.Origin.LIVE,
            as_of=found.as_of,
            age_seconds=round(found.age, 3),
            reason=None if found.reason is None else DegradedReason[found.reason.name],
        )


@strawberry.interface(description="Anything that a service told us.")
class Sourced:
    found: strawberry.Private[sourced.Sourced[object]]

    @strawberry.field(description="How old this is, and why.")
    def freshness(self) -> Freshness:
        return Freshness.of(self.found)


def shown(
    info: Info,
    loading: Future[sourced.Sourced[R] | None],
    make: Callable[[sourced.Sourced[R]], T],
    position: int | None = None,
) -> Future[T | None]:
    """A record's object, once it is there; None when there is no record.

    Not a coroutine: whoever cancels this cancels *loading*, also before anybody awaits it.

    Args:
        info: Of the field.
        loading: The record; nobody else waits for this future.
        make: Makes the object.
        position: Where in the field's list the object will stand; None when it is no list.
    """
    showing: Future[T | None] = loading.get_loop().create_future()

    def show(_: object) -> None:
        if showing.done() or loading.cancelled():
            showing.cancel()
            return
        try:
            found = loading.result()
            if found is None:
                showing.set_result(None)
            else:
                showing.set_result(make(info.context.degraded.show(info, found, position)))
        except Exception as error:  # noqa: BLE001 - whoever awaits it is told
            showing.set_exception(error)
            showing.exception()  # told to whoever awaits, so not lost when nobody does

    def leave(_: object) -> None:
        loading.cancel()

    loading.add_done_callback(show)
    showing.add_done_callback(leave)
    return showing
