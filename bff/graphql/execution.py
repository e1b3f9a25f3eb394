"""Executes one operation of a document that is already valid.

Strawberry has no public way in for such a document: `Schema.execute` takes text, and its parser and
validation caches are extensions, which cost more per operation than they save. What it does after
validating is one call of graphql-core's `execute` with its own executor class, so that is what is
done here. Not run are therefore: schema extensions and custom schema directives (a schema with any
is refused), and `Schema.process_errors`, which logs whole documents.
"""

from __future__ import annotations

from typing import Any, cast

import strawberry
from graphql import (
    ExecutionResult,
    GraphQLSchema,
    execute,  # pyright: ignore[reportUnknownVariableType] - a type argument is left out there
)
from strawberry.execution.is_awaitable import optimized_is_awaitable

from bff.graphql.documents import MOST_ERRORS, Document
from schema.context import Context


class Execution:
    """Runs operations against one schema.

    Args:
        schema: Without extensions and without custom directives.
        introspection: Whether errors may suggest names.
    """

    def __init__(self, schema: strawberry.Schema, *, introspection: bool = True) -> None:
        untyped = cast("Any", schema)
        if untyped.extensions or untyped.directives:
            raise ValueError("Extensions and directives of the schema would not be run.")
        self._schema = core_schema(schema)
        self._executor = untyped.execution_context_class
        self._hide_suggestions = not introspection

    async def run(
        self,
        document: Document,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        context: Context,
    ) -> ExecutionResult:
        """What came of the operation: data, errors or both, also when resolvers raise."""
        result = execute(
            self._schema,
            document.node,
            context_value=context,
            variable_values=variables,
            operation_name=operation_name,
            max_coercion_errors=MOST_ERRORS,
            executor_class=self._executor,
            is_awaitable=cast("Any", optimized_is_awaitable),
            hide_suggestions=self._hide_suggestions,
            operation_extensions=None,
        )
        if isinstance(result, ExecutionResult):
            return result
        return await result


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema under *schema*; Strawberry offers it under no public name."""
    return schema._schema  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def never_began(result: ExecutionResult) -> bool:
    """Whether the request was refused before any field: then no error has a path."""
    return result.data is None and all(error.path is None for error in result.errors or ())
