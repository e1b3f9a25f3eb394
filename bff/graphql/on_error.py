"""What an error does to the rest of the answer: the `onError` of a request.

References:
    https://github.com/graphql/graphql-spec/pull/1163; docs/decisions/0021-truth-in-the-answer.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from enum import StrEnum
from typing import Any, TypeVar

from graphql import (
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    located_error,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.incremental.incremental_executor import DeliveryGroupMap
from graphql.pyutils import AwaitableOrValue, Path

from bff.graphql.executor import OperationExecutor, Useless, discarded
from datasources.clock import Clock

T = TypeVar("T")


class OnError(StrEnum):
    """As a request says it.

    Attributes:
        NULL: The failed position is null, also where the schema says that it cannot be.
        PROPAGATE: The nearest position above that may be null is null.
        HALT: The first error ends the operation: there is no data, and no other error.
    """

    NULL = "NULL"
    PROPAGATE = "PROPAGATE"
    HALT = "HALT"


class NullingExecutor(OperationExecutor):
    """Leaves null exactly where something failed."""

    def prepare(self, clock: Clock) -> None:
        """See `OperationExecutor`."""
        super().prepare(clock)
        self.error_propagation = False


class HaltingExecutor(NullingExecutor):
    """Ends with the first error.

    Nothing is torn down from outside: no further resolver is called, those under way are cancelled,
    and the execution then runs to its end as it always does, waiting for each of them.

    A mutation's fields run one after another, and a field is under way until all below it is done.
    So none is cancelled while it writes; those after the error are not begun.
    """

    def prepare(self, clock: Clock) -> None:
        """See `OperationExecutor`."""
        super().prepare(clock)
        self._first: GraphQLError | None = None
        self._under_way: set[asyncio.Future[Any]] = set()

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: object,
        field_details_list: list[FieldDetails],
        path: Path,
        position_context: DeliveryGroupMap | None,
    ) -> AwaitableOrValue[object]:
        """Null without calling the resolver, once there is an error."""
        if self._first is not None:
            return None
        return super().execute_field(
            parent_type, source, field_details_list, path, position_context
        )

    async def with_abort_signal(self, awaitable: Awaitable[T]) -> T:
        """The value of what a resolver returned; graphql-core awaits all such here.

        Raises:
            Useless: There is an error, and this was cancelled because of it.
        """
        if self._first is not None:
            return await discarded(awaitable)
        future = asyncio.ensure_future(awaitable)
        self._under_way.add(future)
        try:
            return await future
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._first is None or (task is not None and task.cancelling()):
                raise
            raise Useless from None
        finally:
            self._under_way.discard(future)

    def handle_field_error(
        self,
        raw_error: Exception,
        return_type: GraphQLOutputType,  # pyright: ignore[reportUnknownParameterType] - as there
        field_details_list: list[FieldDetails],
        path: Path,
    ) -> None:
        """Remember the first error, and cancel everything that is under way."""
        if self._first is not None:
            return
        nodes = [details.node for details in field_details_list]
        self._first = located_error(raw_error, nodes, path.as_list())
        for future in self._under_way:
            future.cancel()

    def build_response(
        self, data: dict[str, Any] | None
    ) -> ExecutionResult | ExperimentalIncrementalExecutionResults:
        """No data and one error, when there was one."""
        if self._first is not None:
            return ExecutionResult(None, [self._first])
        return super().build_response(data)
