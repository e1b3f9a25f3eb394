"""Items of lists, also those that arrive one after another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from graphql import located_error

from engine.awaitables import is_awaitable
from engine.paths import Path, Position, keys_of
from engine.pending import Complete, Pending, wait_for

if TYPE_CHECKING:
    from engine.execution import Execution


def collect(
    execution: Execution, value: Any, path: Path, item_position: Position, complete: Complete
) -> Pending:
    """Stands in for the list of what an asynchronous iterable gives."""
    items: list[Any] = []
    iterator = value.__aiter__()
    gathering = _gather(execution, iterator, items, path, item_position, complete)
    pending = wait_for(execution, gathering, path, _as_it_is)
    pending.partial = items
    return pending


def _as_it_is(_execution: Execution, value: Any, _path: Path) -> Any:
    return value


async def _gather(  # noqa: PLR0913, PLR0917 - it has no object to keep them in
    execution: Execution,
    iterator: AsyncIterator[Any],
    items: list[Any],
    path: Path,
    item_position: Position,
    complete: Complete,
) -> list[Any]:
    """Completes each item when it is there, as graphql-core does."""
    try:
        while True:
            try:
                item = await anext(iterator)
            except StopAsyncIteration:
                return items
            except Exception as error:
                raise located_error(error, path[2].nodes, keys_of(path)) from error
            item_path = (path, len(items), item_position)
            items.append(complete_item(execution, item, item_path, complete, items))
    except BaseException:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            with suppress(Exception):
                await close()
        raise


def complete_item(
    execution: Execution, item: Any, path: Path, complete: Complete, items: list[Any]
) -> Any:
    """What is shown of one item.

    Raises:
        GraphQLError: The item cannot be null.
    """
    try:
        if is_awaitable(item):
            shown: Any = wait_for(execution, item, path, complete)
        else:
            shown = complete(execution, item, path)
        if shown.__class__ is Pending:
            shown.container = items
            shown.key = path[1]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
        execution.failed(error, path)
        return None
    return shown
