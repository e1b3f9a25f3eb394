"""Records by id: batched, remembered and shared within one operation, never beyond it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property, partial
from typing import TypeVar

from datasources.errors import NotFound
from datasources.importance import Importance
from datasources.ports.orders import Order, OrderId
from datasources.ports.payments import Payment
from datasources.ports.products import BATCH_LIMIT, Product, ProductId, ProductPort
from datasources.ports.users import User, UserId
from datasources.sourced import Sourced
from schema.isolating_loader import IsolatingLoader
from schema.sources import Sources

K = TypeVar("K")
V = TypeVar("V")


class Loaders:
    """Loaders over the ports of one importance, each made when it is first wanted.

    What does not exist loads as None; what fails raises. Products are asked for in batches; the
    others one call for each id, concurrently.

    Args:
        sources: Who is asked.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @cached_property
    def users(self) -> IsolatingLoader[UserId, Sourced[User] | None]:
        """Users by their ids."""
        return IsolatingLoader(partial(_single, self._sources.users.by_id), batch_size=1)

    @cached_property
    def orders(self) -> IsolatingLoader[OrderId, Sourced[Order] | None]:
        """Orders by their ids."""
        return IsolatingLoader(partial(_single, self._sources.orders.by_id), batch_size=1)

    @cached_property
    def products(self) -> IsolatingLoader[ProductId, Sourced[Product] | None]:
        """Products by their ids."""
        return IsolatingLoader(partial(_products, self._sources.products), batch_size=BATCH_LIMIT)

    @cached_property
    def payments(self) -> IsolatingLoader[OrderId, Sourced[Payment] | None]:
        """Payments by the ids of their orders."""
        return IsolatingLoader(partial(_single, self._sources.payments.by_order), batch_size=1)

    def end(self) -> None:
        """See `IsolatingLoader.end`."""
        for made in vars(self).values():
            if isinstance(made, IsolatingLoader):
                made.end()


class LoaderSets:
    """All loaders of one operation: a set for each importance and each deadline.

    What differs in one of them may end differently, so it is never asked for in one batch.

    Args:
        sources: Who is asked, by importance.
        deadline: When what is asked for now is due (any unit): fields may be due sooner than their
            operation.
    """

    __slots__ = ("_deadline", "_sets", "_sources")

    def __init__(
        self, sources: Callable[[Importance], Sources], deadline: Callable[[], float]
    ) -> None:
        self._sources = sources
        self._deadline = deadline
        self._sets: dict[tuple[Importance, float], Loaders] = {}

    def of(self, importance: Importance) -> Loaders:
        """Those for a field of that *importance*, which begins now."""
        key = (importance, self._deadline())
        loaders = self._sets.get(key)
        if loaders is None:
            loaders = self._sets[key] = Loaders(self._sources(importance))
        return loaders

    def end(self) -> None:
        """The operation is over; whatever it still had asked for is of use to nobody.

        Executors leave what they have not begun to await, when they are cancelled or a field fails.
        """
        for loaders in self._sets.values():
            loaders.end()


async def _single(
    by_id: Callable[[K], Awaitable[Sourced[V]]], keys: Sequence[K]
) -> Sequence[Sourced[V] | None]:
    try:
        return [await by_id(key) for key in keys]
    except NotFound:
        return [None]


async def _products(
    port: ProductPort, keys: Sequence[ProductId]
) -> Sequence[Sourced[Product] | Exception | None]:
    found = await port.by_ids(keys)
    return [found.get(key) for key in keys]
