"""The two that are compared: graphql-core as the BFF runs it, and the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, cast

from graphql import ExecutionResult
from graphql.execution.values import get_variable_values
from strawberry.execution.is_awaitable import optimized_is_awaitable

from bff.graphql.executor import OperationExecutor
from bff.graphql.on_error import HaltingExecutor, NullingExecutor
from engine import CompiledOperation, ErrorBehavior, compile_operation
from tests.differential.outcome import Question
from tests.differential.story import Story
from tests.virtual_time import VirtualClock

EXECUTORS: dict[ErrorBehavior, type[OperationExecutor]] = {
    ErrorBehavior.NULL: NullingExecutor,
    ErrorBehavior.PROPAGATE: OperationExecutor,
    ErrorBehavior.HALT: HaltingExecutor,
}


class Reference:
    """graphql-core.

    Args:
        executors: Its classes.
    """

    def __init__(self, executors: Mapping[ErrorBehavior, type[OperationExecutor]]) -> None:
        self._executors = executors

    def __call__(
        self, question: Question, story: Story
    ) -> ExecutionResult | Awaitable[ExecutionResult]:
        """Execute as the BFF does."""
        executor = cast("Any", self._executors[question.on_error]).build(
            question.schema,
            question.document,
            root_value=story.root,
            context_value=story.context,
            raw_variable_values=question.variables,
            operation_name=question.operation_name,
            is_awaitable=optimized_is_awaitable,
        )
        executor.prepare(VirtualClock())
        result = executor.execute_operation()
        if isinstance(result, ExecutionResult) and not executor.background_futures:
            return result
        return _ended(executor, result)


async def _ended(executor: Any, result: Any) -> ExecutionResult:
    try:
        return result if isinstance(result, ExecutionResult) else await result
    finally:
        await executor.end()


reference = Reference(EXECUTORS)


class Engine:
    """The engine, which compiles each operation once."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[int, str | None], tuple[object, CompiledOperation]] = {}

    def __call__(
        self, question: Question, story: Story
    ) -> ExecutionResult | Awaitable[ExecutionResult]:
        """Execute by a plan.

        Raises:
            NotCompilable: There is none.
        """
        document = question.document
        key = (id(document), question.operation_name)
        if key not in self._compiled:
            compiled = compile_operation(question.schema, document, question.operation_name)
            self._compiled = {key: (document, compiled)}
        compiled = self._compiled[key][1]
        operation = compiled.operation
        variables = get_variable_values(
            question.schema, operation.variable_definitions or (), question.variables
        )
        assert not isinstance(variables, list), variables
        plan = compiled.plan(variables, question.on_error)
        return plan.execute(story.root, story.context, variables)
