"""Values that the answer waits for."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.paths import Path

if TYPE_CHECKING:
    from engine.execution import Execution

Complete = Callable[["Execution", Any, Path], Any]
"""Makes of the value of a field what the answer shows at the path, or raises; a `Pending` if that
has to be awaited again."""


class Pending:
    """Stands in the answer for a value that is awaited.

    Whoever makes one adds it to those that the execution begins, or to a batch.

    Args:
        execution: That waits.
        path: Where the value will stand.
        awaitable: Gives the value.
        complete: Makes of it what is shown.

    Attributes:
        container: The object or list where this stands; set by whoever makes it.
        key: Where in it.
        partial: A list that is shown when it is whole, whose items are completed already.
    """

    __slots__ = ("awaitable", "complete", "container", "execution", "key", "partial", "path")

    def __init__(
        self, execution: Execution, path: Path, awaitable: Any, complete: Complete
    ) -> None:
        self.execution = execution
        self.path = path
        self.awaitable = awaitable
        self.complete = complete
        self.container: Any = None
        self.key: Any = None
        self.partial: list[Any] | None = None

    def settle(self, value: Any) -> None:
        """The awaitable gave *value*: show it."""
        execution = self.execution
        container = self.container
        self.container = None
        path = self.path
        if execution.nulled and execution.is_nulled(path):
            return
        try:
            shown = self.complete(execution, value, path)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
            container[self.key] = None
            execution.fail(error, path)
            return
        if shown.__class__ is Pending:
            shown.container = container
            shown.key = self.key
        container[self.key] = shown

    def fail(self, error: Exception) -> None:
        """There will be no value, because of *error*."""
        container = self.container
        self.container = None
        if container is not None:
            container[self.key] = None
        execution = self.execution
        execution.fail(error, self.path)
        if self.partial:
            execution.waves.drop(self.path)  # what its first items wait for

    def is_below(self, path: Path | None) -> bool:
        """Whether *path*, the very tuple, is that of the value or above it."""
        if path is None:
            return True
        own: Path | None = self.path
        while own is not None:
            if own is path:
                return True
            own = own[0]
        return False

    def drop(self, path: Path | None) -> bool:
        """Null has taken the place of all below *path*. Whether the awaitable is useless now."""
        if self.is_below(path):
            self.container = None
            return True
        return False


class BatchPending:
    """Values that one call loads.

    Args:
        execution: That waits.
        awaitable: Gives a value for each key, in order.
        waiting: The values of each key.
    """

    __slots__ = ("awaitable", "execution", "waiting")

    def __init__(
        self, execution: Execution, awaitable: Any, waiting: Mapping[Any, list[Pending]]
    ) -> None:
        self.execution = execution
        self.awaitable = awaitable
        self.waiting: Mapping[Any, list[Pending]] = waiting

    def settle(self, values: Any) -> None:
        """The load has answered."""
        try:
            values = list(values)
            if len(values) != len(self.waiting):
                raise ValueError(  # noqa: TRY301 - so that it fails like what `list` may raise
                    f"A batch of {len(self.waiting)} keys was answered with {len(values)} values."
                )
        except Exception as error:  # noqa: BLE001 - as where one value fails
            self.fail(error)
            return
        try:
            for value, items in zip(values, self.waiting.values(), strict=True):
                if isinstance(value, Exception):
                    for item in items:
                        item.fail(value)
                else:
                    for item in items:
                        item.settle(value)
        finally:
            self.let_go()

    def fail(self, error: Exception) -> None:
        """The load has failed."""
        try:
            for items in self.waiting.values():
                for item in items:
                    item.fail(error)
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Forget all that waits, so that it leaves no cycles."""
        waiting, self.waiting = self.waiting, {}
        for items in waiting.values():
            for item in items:
                item.container = None

    def drop(self, path: Path | None) -> bool:
        """As `Pending.drop`; the load is useless when all of its values are."""
        items = [item for each in self.waiting.values() for item in each]
        for item in items:
            item.drop(path)
        return all(item.container is None for item in items)


Waited = Pending | BatchPending


def wait_for(execution: Execution, awaitable: Any, path: Path, complete: Complete) -> Pending:
    """Stands in for what *awaitable* gives."""
    item = Pending(execution, path, awaitable, complete)
    execution.pending.append(item)
    return item


def retrieve(future: Future[Any]) -> None:
    """Look at the error of a future that nobody wants any more, so that asyncio reports none."""
    if not future.cancelled():
        future.exception()
