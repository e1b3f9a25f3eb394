"""Executes one operation of a document that is already valid.

What is asked again and again is executed by a plan of its own, see `engine`. The rest, and what the
engine leaves to it, is executed by graphql-core, which is also what the engine is held against.

Strawberry has no public way in for such a document: `Schema.execute` takes text, and its parser and
validation caches are extensions, which cost more per operation than they save. What it does after
validating is to run graphql-core's executor in a class of its own, so that is what is done here,
in a class for each way to treat errors. Not run are therefore: schema extensions (a schema with any
is refused), directives other than `@deadline` (likewise), and `Schema.process_errors`, which logs
whole documents.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from typing import Any, cast

import strawberry
from graphql import ExecutionResult, GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from bff.graphql.documents import MOST_ERRORS, Document, Operation
from bff.graphql.executor import OperationExecutor
from bff.graphql.field_deadlines import (
    HaltingUntil,
    NullingUntil,
    PropagatingUntil,
    unusable_deadlines,
)
from bff.graphql.on_error import HaltingExecutor, NullingExecutor, OnError
from datasources.clock import Clock, SystemClock
from schema.context import Context
from schema.deadline import deadline

_EXECUTORS: dict[OnError, type[OperationExecutor]] = {
    OnError.NULL: NullingExecutor,
    OnError.PROPAGATE: OperationExecutor,
    OnError.HALT: HaltingExecutor,
}
_KEEPING_DEADLINES: dict[OnError, type[OperationExecutor]] = {
    OnError.NULL: NullingUntil,
    OnError.PROPAGATE: PropagatingUntil,
    OnError.HALT: HaltingUntil,
}


_NO_VARIABLES = VariableValues({}, {})


class Execution:
    """Runs operations against one schema.

    Args:
        schema: Without extensions, without an executor of its own, and without directives for
            queries but `@deadline`.
        introspection: Whether errors may suggest names.
        compile_from: From which of its uses on an operation is executed by a plan of its own; None
            for never.
        clock: Replaced in tests.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        introspection: bool = True,
        compile_from: int | None = 2,
        clock: Clock | None = None,
    ) -> None:
        untyped = cast("Any", schema)
        if (
            untyped.extensions
            or untyped.execution_context_class is not StrawberryGraphQLCoreExecutionContext
            or any(directive is not deadline for directive in untyped.directives)
        ):
            raise ValueError("Extensions and directives of the schema would not be run.")
        self._schema = core_schema(schema)
        self._hide_suggestions = not introspection
        self._compile_from = sys.maxsize if compile_from is None else compile_from
        self._clock = clock or SystemClock()

    async def run(
        self,
        document: Document,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        context: Context,
        on_error: OnError = OnError.PROPAGATE,
    ) -> ExecutionResult:
        """What came of the operation: data, errors or both, also when resolvers raise.

        Nothing that it has begun is under way any more afterwards, except what services are asked
        for everybody.
        """
        operation = document.operation(operation_name)
        if not operation.deadlines and operation.compilation.is_due(self._compile_from):
            coerced = self._variables(operation, variables)
            if not isinstance(coerced, VariableValues):
                return ExecutionResult(None, coerced)
            plan = operation.compilation.plan(
                self._schema,
                document.node,
                operation_name,
                coerced,
                on_error,
                hide_suggestions=self._hide_suggestions,
            )
            if plan is not None:
                answer = plan.execute(None, context, coerced)
                return answer if isinstance(answer, ExecutionResult) else await answer
        executors = _KEEPING_DEADLINES if operation.deadlines else _EXECUTORS
        executor = self._executor(executors[on_error], document, variables, operation_name, context)
        if not isinstance(executor, OperationExecutor):
            return ExecutionResult(None, executor)
        if operation.deadlines:
            errors = unusable_deadlines(executor, operation.deadlines)
            if errors:
                return ExecutionResult(None, errors[:MOST_ERRORS])
        try:
            result = executor.execute_operation()
            if isinstance(result, Awaitable):
                result = await cast("Awaitable[ExecutionResult]", result)
        finally:
            await executor.end()
        return cast("ExecutionResult", result)

    def _variables(
        self, operation: Operation, given: dict[str, Any] | None
    ) -> VariableValues | list[GraphQLError]:
        """What fields are given; the errors, if there are any."""
        definitions = operation.node.variable_definitions
        if not definitions:
            return _NO_VARIABLES
        return get_variable_values(
            self._schema,
            definitions,
            given or {},
            max_errors=MOST_ERRORS,
            hide_suggestions=self._hide_suggestions,
        )

    def _executor(
        self,
        kind: type[OperationExecutor],
        document: Document,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        context: Context,
    ) -> OperationExecutor | list[GraphQLError]:
        """The errors in the variables, if there are any."""
        built = cast("Any", kind).build(
            self._schema,
            document.node,
            context_value=context,
            raw_variable_values=variables,
            operation_name=operation_name,
            max_coercion_errors=MOST_ERRORS,
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=self._hide_suggestions,
        )
        if isinstance(built, OperationExecutor):
            built.prepare(self._clock)
        return cast("OperationExecutor | list[GraphQLError]", built)


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema under *schema*; Strawberry offers it under no public name."""
    return schema._schema  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def never_began(result: ExecutionResult) -> bool:
    """Whether the request was refused before any field: then no error has a path."""
    return result.data is None and all(error.path is None for error in result.errors or ())
