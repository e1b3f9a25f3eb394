"""What may be awaited, as graphql-core sees it; known classes are not asked."""

from __future__ import annotations

import asyncio
import uuid
from asyncio import Future
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import CoroutineType
from typing import Any, TypeGuard, cast

from graphql import pyutils
from graphql.pyutils import Undefined

_core_is_awaitable: Callable[[Any], bool] = cast("Any", pyutils).is_awaitable

_NEVER_AWAITABLE = frozenset(
    {
        type(None),
        bool,
        int,
        float,
        str,
        bytes,
        bytearray,
        list,
        tuple,
        dict,
        set,
        frozenset,
        date,
        datetime,
        time,
        timedelta,
        Decimal,
        uuid.UUID,
    }
)


def is_awaitable(value: Any) -> TypeGuard[Awaitable[Any]]:
    """Whether *value* is awaited before it is completed."""
    kind: type = value.__class__
    if kind in _NEVER_AWAITABLE:
        return False
    return kind is CoroutineType or _core_is_awaitable(value)


def is_ordinary(kind: Any) -> bool:
    """Whether all objects of the class can be taken for what one of them is.

    Not null, nor exceptions, which are errors as values; nor if attributes may appear on asking.
    """
    if kind in _NEVER_AWAITABLE:
        return kind is not type(None)
    return bool(
        kind is not type(Undefined)
        and not issubclass(kind, Exception)
        and not hasattr(kind, "__await__")
        and not hasattr(kind, "__getattr__")
        and kind.__getattribute__ is object.__getattribute__
    )


def is_of_this_loop(future: Future[Any]) -> bool:
    """Whether it can be waited for here: who waits for another loop may wait forever."""
    try:
        return future.get_loop() is asyncio.get_running_loop()
    except RuntimeError:  # none runs yet
        return True


def never_begin(awaitable: Awaitable[Any]) -> None:
    """Close what nobody will await, so that it closes what it holds; else Python complains."""
    with suppress(Exception):
        steps: Any = awaitable if asyncio.iscoroutine(awaitable) else awaitable.__await__()
        close: Any = getattr(steps, "close", None)
        if close is not None:
            close()
