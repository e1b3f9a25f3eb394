"""Ask a plan, in virtual time."""

from __future__ import annotations

from typing import Any

from graphql import ExecutionResult, GraphQLSchema, OperationDefinitionNode, parse, validate
from graphql.execution.values import VariableValues, get_variable_values

from engine import ErrorBehavior, Plan, compile_operation
from tests.virtual_time import run

PROPAGATE, NULL, HALT = ErrorBehavior.PROPAGATE, ErrorBehavior.NULL, ErrorBehavior.HALT


def variables_of(
    schema: GraphQLSchema, operation: OperationDefinitionNode, given: dict[str, Any] | None
) -> VariableValues:
    """As graphql-core coerces them."""
    values = get_variable_values(schema, operation.variable_definitions or (), given or {})
    assert isinstance(values, VariableValues)
    return values


def planned(
    schema: GraphQLSchema,
    text: str,
    variables: dict[str, Any] | None = None,
    on_error: ErrorBehavior = PROPAGATE,
) -> tuple[Plan, VariableValues]:
    """The plan of a valid document, and its variables."""
    document = parse(text)
    assert validate(schema, document) == []
    compiled = compile_operation(schema, document, None)
    values = variables_of(schema, compiled.operation, variables)
    return compiled.plan(values, on_error), values


async def answered(
    schema: GraphQLSchema,
    text: str,
    root: object = None,
    *,
    context: object = None,
    variables: dict[str, Any] | None = None,
    on_error: ErrorBehavior = PROPAGATE,
) -> ExecutionResult:
    """The answer, waited for if need be."""
    plan, values = planned(schema, text, variables, on_error)
    result = plan.execute(root, context, values)
    return result if isinstance(result, ExecutionResult) else await result


def ask(schema: GraphQLSchema, text: str, root: object = None, **kwargs: Any) -> ExecutionResult:
    """The answer, in a loop of its own."""
    return run(answered(schema, text, root, **kwargs))


def told(result: ExecutionResult) -> list[tuple[list[str | int] | None, str]]:
    """Path and message of each error."""
    return [(error.path, error.message) for error in result.errors or ()]
